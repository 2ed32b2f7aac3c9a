-- 市公安局交通警察支队龙华大队 · 车辆与违法库. A table without a primary key, money as numeric, a generated column.
create type energy as enum ('汽油', '柴油', '纯电动', '插电混动');

create table vehicles (
  plate_no text primary key,
  vehicle_no bigint not null,
  plate_colour text not null,
  energy energy not null,
  brand text not null,
  seats smallint not null,
  kerb_mass_kg integer,
  owner_kind text not null,
  owner_code text not null,
  first_registered date not null,
  inspection_until date,
  updated_at timestamptz not null
);
comment on table vehicles is '机动车';
comment on column vehicles.plate_no is '号牌号码';
comment on column vehicles.vehicle_no is '档案编号';
comment on column vehicles.plate_colour is '号牌颜色';
comment on column vehicles.energy is '能源种类';
comment on column vehicles.brand is '品牌';
comment on column vehicles.seats is '核定载客人数';
comment on column vehicles.kerb_mass_kg is '整备质量（千克）';
comment on column vehicles.owner_kind is '所有人类别';
comment on column vehicles.owner_code is '所有人证件号码';
comment on column vehicles.first_registered is '初次登记日期';
comment on column vehicles.inspection_until is '检验有效期止';
comment on column vehicles.updated_at is '更新时间';

create table violations (
  violation_no bigint not null,
  plate_no text not null,
  occurred_at timestamptz not null,
  street_code text not null,
  place text not null,
  offence_code text not null,
  points smallint not null,
  fine numeric(10, 2) not null,
  surcharge numeric(10, 2),
  total numeric(11, 2) generated always as (fine + coalesce(nullif(surcharge, 'NaN'), 0)) stored,
  paid boolean not null,
  paid_on date
);
comment on table violations is '交通违法记录（多路电子警察汇总，无主键）';
comment on column violations.violation_no is '违法记录编号';
comment on column violations.plate_no is '号牌号码';
comment on column violations.occurred_at is '违法时间';
comment on column violations.street_code is '街道代码（9 位）';
comment on column violations.place is '违法地点';
comment on column violations.offence_code is '违法代码';
comment on column violations.points is '记分';
comment on column violations.fine is '罚款（元）';
comment on column violations.surcharge is '滞纳金（元）';
comment on column violations.total is '应缴合计（元）';
comment on column violations.paid is '是否缴款';
comment on column violations.paid_on is '缴款日期';

-- Vehicle i's plate: 粤BI, three characters without I and O, two digits: 3,930,400 in all.
create function synth.plate(i bigint) returns text language sql immutable as $$
  select '粤BI' || substr(alphabet, 1 + (i / 115600 % 34)::int, 1) || substr(alphabet, 1 + (i / 3400 % 34)::int, 1)
    || substr(alphabet, 1 + (i / 100 % 34)::int, 1) || lpad((i % 100)::text, 2, '0')
  from (values ('0123456789ABCDEFGHJKLMNPQRSTUVWXYZ')) characters (alphabet)
$$;

insert into vehicles
select synth.plate(v), v, case when power.energy in ('纯电动', '插电混动') then '渐变绿' else synth.pick(61, v, '{蓝,蓝,蓝,黄}') end, power.energy,
       synth.pick(62, v, '{示例甲牌,示例乙牌,示例丙牌,示例丁牌,示例戊牌}'), (array[2, 5, 5, 5, 7, 9, 23, 45])[1 + synth.draw(63, v, 8)],
       case when synth.draw(64, v, 20) > 0 then 900 + synth.draw(65, v, 2600) end, owner.kind,
       case owner.kind when '单位' then synth.credit_code(1 + synth.draw(66, v, synth.scaled(20000))) else p.id_number end,
       bought.day, case when synth.draw(67, v, 30) > 0 then bought.day + 365 * (1 + (synth.today() - bought.day) / 365) end,
       synth.moment(68, v, synth.today() - 1 - synth.draw(69, v, 200)::int)
from synth.people(1, synth.scaled(30000)) p
cross join lateral (select p.i) same (v)
cross join lateral (select synth.pick(70, v, '{汽油,汽油,柴油,纯电动,纯电动,插电混动}')::energy) power (energy)
cross join lateral (select case when synth.draw(71, v, 8) = 0 then '单位' else '个人' end) owner (kind)
cross join lateral (select synth.today() - 1 - synth.draw(72, v, 4000)::int) bought (day);

insert into violations (violation_no, plate_no, occurred_at, street_code, place, offence_code, points, fine, surcharge, paid, paid_on)
select entry, synth.plate(1 + synth.draw(73, entry, synth.scaled(30000))), at.moment, left(c.street_code, 9),
       c.street || synth.pick(74, entry, '{人民路,龙观大道,梅龙路,布龙路,观澜大道,大浪南路,和平路,清泉路}') || synth.pick(75, entry, '{口,天桥下,隧道口,公交站前}'),
       offence.code, offence.points, offence.fine, case when synth.draw(76, entry, 12) = 0 then round(offence.fine * synth.draw(77, entry, 100) / 100, 2) end,
       paid.done, case when paid.done then (at.moment at time zone 'Asia/Shanghai')::date + synth.draw(78, entry, 15)::int end
from generate_series(1, synth.scaled(30000)) entry
join synth.communities c on c.n = synth.draw(79, entry, 113)
cross join lateral (select synth.moment(80, entry, synth.today() - 20 - synth.draw(81, entry, 900)::int)) at (moment)
cross join lateral (select synth.draw(82, entry, 4) > 0) paid (done)
join (values (0, '1039', 0, 200.00), (1, '1344', 3, 300.00), (2, '1625', 6, 200.00), (3, '1352', 3, 150.00), (4, '1208', 1, 100.00), (5, '6046', 0, 50.00))
  offence (k, code, points, fine) on offence.k = synth.draw(83, entry, 6);

-- Planted.
select synth.plant('traffic.vehicles', 'PATTERN', 'vehicles', 'plate_no', 'vehicle_no % 1000 = 17', $$plate_no = '无牌' || vehicle_no$$);
select synth.plant('traffic.vehicles', 'MAXIMUM', 'vehicles', 'plate_no', 'vehicle_no % 1000 = 117', 'seats = 999');
select synth.plant('traffic.vehicles', 'FORMAT_MAXIMUM', 'vehicles', 'plate_no', 'vehicle_no % 1000 = 217', $$first_registered = '2062-06-30'$$);
select synth.plant('traffic.vehicles', 'ENUM', 'vehicles', 'plate_no', 'vehicle_no % 1000 = 317', $$plate_colour = '彩虹'$$);
select synth.plant('traffic.violations', 'ENUM', 'violations', 'violation_no', 'violation_no % 1000 = 18', $$street_code = '440309099'$$);
select synth.plant('traffic.violations', 'NOT_A_NUMBER', 'violations', 'violation_no', 'violation_no % 1000 = 118', $$surcharge = 'NaN'$$);
select synth.plant('traffic.violations', 'MAXIMUM', 'violations', 'violation_no', 'violation_no % 1000 = 218', 'points = 24');
select synth.plant('traffic.violations', 'INFINITE', 'violations', 'violation_no', 'violation_no % 1000 = 318', $$occurred_at = 'infinity'$$);

analyze;
drop schema synth cascade;
