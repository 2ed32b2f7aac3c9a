-- 区住房和建设局 · 房屋租赁库. A range of days, an hour without a time zone, money in whole numbers of fen.
create table rental_contracts (
  contract_no text not null,
  serial bigint not null,
  tenant_id_number text not null,
  tenant_name text not null,
  tenant_mobile text,
  community_code text not null,
  address text not null,
  area_m2 numeric(7, 2) not null,
  rent_fen bigint not null,
  lease_from date not null,
  lease_to date not null,
  filed_at timestamp not null,
  verified boolean
);
comment on table rental_contracts is '房屋租赁合同备案（无主键，续签会重复备案）';
comment on column rental_contracts.contract_no is '备案号';
comment on column rental_contracts.serial is '流水号';
comment on column rental_contracts.tenant_id_number is '承租人身份证号码';
comment on column rental_contracts.tenant_name is '承租人姓名';
comment on column rental_contracts.tenant_mobile is '承租人手机';
comment on column rental_contracts.community_code is '社区代码（12 位）';
comment on column rental_contracts.address is '房屋地址';
comment on column rental_contracts.area_m2 is '建筑面积（平方米）';
comment on column rental_contracts.rent_fen is '月租金（分）';
comment on column rental_contracts.lease_from is '租期起';
comment on column rental_contracts.lease_to is '租期止';
comment on column rental_contracts.filed_at is '备案时间（北京时间，无时区）';
comment on column rental_contracts.verified is '是否实地核验';

insert into rental_contracts
select 'ZL' || lpad(p.i::text, 10, '0'), p.i, p.id_number, p.name, case when synth.draw(251, p.i, 9) > 0 then p.mobile end, c.code,
       c.street || c.name || (1 + synth.draw(252, p.i, 80)) || '巷' || (1 + synth.draw(253, p.i, 40)) || '号', 12 + synth.draw(254, p.i, 12000) / 100.0,
       60000 + synth.draw(255, p.i, 9000) * 100, start.day, start.day + 365,
       date_trunc('second', synth.moment(256, p.i, start.day) at time zone 'Asia/Shanghai'), case when synth.draw(257, p.i, 4) > 0 then synth.draw(258, p.i, 5) > 0 end
from synth.people(1, synth.scaled(8000)) p
join synth.communities c on c.n = synth.draw(259, p.i, 113)
cross join lateral (select synth.today() - 1 - synth.draw(260, p.i, 360)::int) start (day);

-- Planted.
select synth.plant('housing.rental-contracts', 'FORMAT_RESIDENT_ID', 'rental_contracts', 'contract_no', 'serial % 500 = 17', 'tenant_id_number = synth.broken_resident_id(tenant_id_number)');
select synth.plant('housing.rental-contracts', 'FORMAT_MOBILE_NUMBER', 'rental_contracts', 'contract_no', 'serial % 500 = 117', $$tenant_mobile = '12345'$$);
select synth.plant('housing.rental-contracts', 'EXCLUSIVE_MINIMUM', 'rental_contracts', 'contract_no', 'serial % 500 = 217', 'rent_fen = 0');
select synth.plant('housing.rental-contracts', 'ENUM', 'rental_contracts', 'contract_no', 'serial % 500 = 317', $$community_code = '440309006099'$$);
select synth.duplicate('housing.rental-contracts', 'rental_contracts', 'contract_no', 'serial % 500 = 417');

analyze;
drop schema synth cascade;
