-- 市市场监督管理局龙华监管局 · 市场主体库. Money with cents, text arrays, jsonb, exact large numbers.
create type enterprise_status as enum ('存续', '迁出', '注销', '吊销');

create table enterprises (
  credit_code text primary key,
  enterprise_no bigint not null,
  name text not null,
  kind text not null,
  legal_person text not null,
  registered_capital numeric(18, 2),
  industry_code text not null,
  established date not null,
  status enterprise_status not null,
  division_code text not null,
  address text not null,
  phone text,
  branches jsonb,
  updated_at timestamptz not null
);
comment on table enterprises is '市场主体';
comment on column enterprises.credit_code is '统一社会信用代码';
comment on column enterprises.enterprise_no is '内部序号';
comment on column enterprises.name is '名称';
comment on column enterprises.kind is '主体类型';
comment on column enterprises.legal_person is '法定代表人';
comment on column enterprises.registered_capital is '注册资本（元）';
comment on column enterprises.industry_code is '行业门类（GB/T 4754）';
comment on column enterprises.established is '成立日期';
comment on column enterprises.status is '登记状态';
comment on column enterprises.division_code is '社区代码（12 位）';
comment on column enterprises.address is '住所';
comment on column enterprises.phone is '联系电话';
comment on column enterprises.branches is '分支机构';
comment on column enterprises.updated_at is '更新时间';

create table licences (
  licence_no text not null,
  credit_code text not null,
  kind text not null,
  scope text[] not null,
  issued_on date not null,
  valid_until date,
  grade char(1),
  score numeric(4, 1),
  revoked boolean not null
);
comment on table licences is '食品药品等许可证（无主键，历史与现行并存）';
comment on column licences.licence_no is '许可证编号';
comment on column licences.credit_code is '统一社会信用代码';
comment on column licences.kind is '许可类别';
comment on column licences.scope is '许可项目';
comment on column licences.issued_on is '发证日期';
comment on column licences.valid_until is '有效期止（长期为空）';
comment on column licences.grade is '量化等级';
comment on column licences.score is '最近一次检查得分';
comment on column licences.revoked is '是否吊销';

insert into enterprises
select synth.credit_code(e), e, '深圳市示例' || synth.pick(91, e, '{锦,宏,鼎,瑞,德,盛,华,信,恒,泰}') || synth.pick(92, e, '{达,源,通,业,利,丰,和,创,智,联}') || e || form.suffix, form.kind,
       synth.surname(93, e) || synth.given_name(94, e, synth.draw(95, e, 3) = 0),
       case when form.kind <> '个体工商户' then (1 + synth.draw(96, e, 5000)) * 10000.00 + synth.draw(97, e, 100) / 100.0 end,
       synth.pick(98, e, '{C,E,F,F,G,H,I,L,M,O,P,R}'), born.day,
       case when synth.draw(99, e, 10) < 8 then '存续' else synth.pick(100, e, '{迁出,注销,吊销}') end::enterprise_status,
       c.code, c.street || c.name || synth.pick(101, e, '{工业园,商业街,科技大厦,创意园}') || (1 + synth.draw(102, e, 30)) || '栋',
       case when synth.draw(103, e, 5) > 0 then synth.mobile(synth.scaled(200000) + e) end,
       case when synth.draw(104, e, 25) = 0 then jsonb_build_array(jsonb_build_object('name', '第一分公司', 'opened', born.day)) end,
       synth.moment(105, e, synth.today() - 1 - synth.draw(106, e, 365)::int)
from generate_series(1, synth.scaled(20000)) e
join synth.communities c on c.n = synth.draw(107, e, 113)
join (values (0, '有限责任公司', '有限公司'), (1, '有限责任公司', '科技有限公司'), (2, '个体工商户', '商店'), (3, '个体工商户', '餐饮店'),
             (4, '股份有限公司', '股份有限公司'), (5, '农民专业合作社', '专业合作社')) form (k, kind, suffix) on form.k = synth.draw(108, e, 6)
cross join lateral (select synth.today() - 30 - synth.draw(109, e, 9000)::int) born (day);

insert into licences
select 'JY' || lpad(l::text, 12, '0'), synth.credit_code(1 + synth.draw(110, l, synth.scaled(20000))), kind.name, kind.scope, issued.day,
       case when synth.draw(111, l, 6) > 0 then issued.day + 5 * 365 end,
       case when synth.draw(112, l, 4) > 0 then synth.pick(113, l, '{A,B,B,C}') end,
       case when synth.draw(114, l, 3) > 0 then 60 + synth.draw(115, l, 80) / 2.0 end, synth.draw(116, l, 200) = 0
from generate_series(1, synth.scaled(15000)) l
join (values (0, '食品经营', '{热食类,冷食类}'::text[]), (1, '食品生产', '{糕点}'), (2, '药品经营', '{处方药,非处方药}'), (3, '医疗器械', '{第二类}'), (4, '特种设备', '{电梯}'))
  kind (k, name, scope) on kind.k = synth.draw(117, l, 5)
cross join lateral (select synth.today() - 1 - synth.draw(118, l, 2500)::int) issued (day);

-- Planted.
select synth.plant('market.enterprises', 'FORMAT_SOCIAL_CREDIT_CODE', 'enterprises', 'credit_code', 'enterprise_no % 1000 = 17', 'credit_code = synth.broken_credit_code(credit_code)');
select synth.plant('market.enterprises', 'MINIMUM', 'enterprises', 'credit_code', 'enterprise_no % 1000 = 117', 'registered_capital = -0.01');
select synth.plant('market.enterprises', 'NOT_A_NUMBER', 'enterprises', 'credit_code', 'enterprise_no % 1000 = 217', $$registered_capital = 'NaN'$$);
select synth.plant('market.enterprises', 'FORMAT_MAXIMUM', 'enterprises', 'credit_code', 'enterprise_no % 1000 = 317', $$established = '2206-01-01'$$);
select synth.plant('market.enterprises', 'ENUM', 'enterprises', 'credit_code', 'enterprise_no % 1000 = 417', $$industry_code = 'Z'$$);
select synth.plant('market.licences', 'FORMAT_SOCIAL_CREDIT_CODE', 'licences', 'licence_no', $$right(licence_no, 3) = '018'$$, $$credit_code = '无'$$);
select synth.plant('market.licences', 'PATTERN', 'licences', 'licence_no', $$right(licence_no, 3) = '118'$$, $$licence_no = replace(licence_no, 'JY', '旧证')$$);
select synth.plant('market.licences', 'MULTIPLE_OF', 'licences', 'licence_no', $$right(licence_no, 3) = '218'$$, 'score = 77.7');
select synth.duplicate('market.licences', 'licences', 'licence_no', $$right(licence_no, 3) = '318'$$);

analyze;
drop schema synth cascade;
