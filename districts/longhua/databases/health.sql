-- 区卫生健康局 · 人口与公共卫生库. English names, Chinese comments, enums, arrays, uuid and jsonb.
create type sex as enum ('男', '女');
create type residence as enum ('户籍', '非户籍');
create type test_result as enum ('阴性', '阳性', '待复核');

create table households (
  household_id bigint primary key,
  division_code text not null,
  address text not null,
  dwelling text not null,
  longitude double precision,
  latitude double precision,
  members smallint not null,
  registered_on date not null,
  updated_at timestamptz not null
);
comment on table households is '家庭户';
comment on column households.household_id is '户编号';
comment on column households.division_code is '社区代码（12 位）';
comment on column households.address is '住址';
comment on column households.dwelling is '住房类型';
comment on column households.longitude is '经度';
comment on column households.latitude is '纬度';
comment on column households.members is '登记人数';
comment on column households.registered_on is '登记日期';
comment on column households.updated_at is '更新时间';

create table residents (
  person_id bigint primary key,
  id_number text not null,
  name text not null,
  sex sex not null,
  birth_date date not null,
  mobile text,
  household_id bigint not null,
  division_code text not null,
  residence residence not null,
  household_register_no text,
  blood_type text,
  height_cm numeric(5, 1),
  tags text[] not null,
  updated_at timestamptz not null
);
comment on table residents is '常住居民';
comment on column residents.person_id is '居民编号';
comment on column residents.id_number is '居民身份证号码';
comment on column residents.name is '姓名';
comment on column residents.sex is '性别';
comment on column residents.birth_date is '出生日期';
comment on column residents.mobile is '手机号码';
comment on column residents.household_id is '户编号';
comment on column residents.division_code is '社区代码（12 位）';
comment on column residents.residence is '户籍类别';
comment on column residents.household_register_no is '户口簿号（户籍人口）';
comment on column residents.blood_type is '血型';
comment on column residents.height_cm is '身高（厘米）';
comment on column residents.tags is '服务对象标签';
comment on column residents.updated_at is '更新时间';

create table vaccinations (
  record_id uuid not null,
  person_id bigint not null,
  id_number text not null,
  vaccine_code text not null,
  manufacturer text not null,
  batch_no text not null,
  dose smallint not null,
  site_code text not null,
  vaccinated_on date not null,
  recorded_at timestamptz not null,
  observation jsonb
);
comment on table vaccinations is '疫苗接种记录（来自各接种点汇总，允许重复上报）';
comment on column vaccinations.record_id is '接种记录编号';
comment on column vaccinations.person_id is '居民编号';
comment on column vaccinations.id_number is '居民身份证号码';
comment on column vaccinations.vaccine_code is '疫苗代码';
comment on column vaccinations.manufacturer is '生产企业';
comment on column vaccinations.batch_no is '批号';
comment on column vaccinations.dose is '剂次';
comment on column vaccinations.site_code is '接种点代码';
comment on column vaccinations.vaccinated_on is '接种日期';
comment on column vaccinations.recorded_at is '登记时间';
comment on column vaccinations.observation is '留观情况';

create table nucleic_acid_tests (
  sample_no bigint primary key,
  tube_code text not null,
  id_number text not null,
  sampled_at timestamptz not null,
  reported_at timestamptz,
  result test_result not null,
  ct_value double precision,
  mixed boolean not null,
  laboratory text not null
);
comment on table nucleic_acid_tests is '核酸检测';
comment on column nucleic_acid_tests.sample_no is '样本编号';
comment on column nucleic_acid_tests.tube_code is '采样管编码';
comment on column nucleic_acid_tests.id_number is '居民身份证号码';
comment on column nucleic_acid_tests.sampled_at is '采样时间';
comment on column nucleic_acid_tests.reported_at is '报告时间';
comment on column nucleic_acid_tests.result is '检测结果';
comment on column nucleic_acid_tests.ct_value is 'CT 值（阴性为空）';
comment on column nucleic_acid_tests.mixed is '是否混检';
comment on column nucleic_acid_tests.laboratory is '检测机构';

create table arrivals (
  arrival_no bigint not null,
  id_number text not null,
  name text not null,
  mobile text not null,
  origin_code text not null,
  transport text not null,
  trip_no text,
  arrived_at timestamp not null,
  community_code text not null,
  stay_days integer not null
);
comment on table arrivals is '来（返）深人员登记（扫码自主申报，无主键）';
comment on column arrivals.arrival_no is '申报编号';
comment on column arrivals.id_number is '居民身份证号码';
comment on column arrivals.name is '姓名';
comment on column arrivals.mobile is '手机号码';
comment on column arrivals.origin_code is '来源地区划代码';
comment on column arrivals.transport is '交通方式';
comment on column arrivals.trip_no is '航班或车次';
comment on column arrivals.arrived_at is '抵达时间（北京时间，无时区）';
comment on column arrivals.community_code is '目的地社区代码';
comment on column arrivals.stay_days is '计划停留天数';

insert into households
select h, c.code, c.street || c.name || (1 + synth.draw(11, h, 60)) || '栋' || (101 + synth.draw(12, h, 30) * 100 + synth.draw(13, h, 8)),
       synth.pick(14, h, '{商品房,城中村,人才房,公租房,宿舍}'),
       113.98 + synth.draw(15, h, 120000) / 1000000.0, 22.60 + synth.draw(16, h, 150000) / 1000000.0,
       0, synth.today() - synth.draw(17, h, 5000)::int, synth.moment(18, h, synth.today() - 1 - synth.draw(19, h, 400)::int)
from generate_series(1, synth.scaled(38000)) h
join synth.communities c on c.n = synth.draw(10, h, 113);

insert into residents
select p.i, p.id_number, p.name, p.sex::sex, p.birth_date, case when synth.draw(20, p.i, 10) < 8 then p.mobile end,
       h.household_id, h.division_code, r.residence,
       case when r.residence = '户籍' then 'LH' || lpad(h.household_id::text, 9, '0') end,
       case when synth.draw(21, p.i, 3) > 0 then synth.pick(22, p.i, '{A,B,O,AB}') end,
       case when synth.draw(23, p.i, 4) > 0 then 90 + synth.draw(24, p.i, 1050) / 10.0 end,
       case synth.draw(25, p.i, 20) when 0 then '{低保}'::text[] when 1 then '{高龄,独居}' when 2 then '{慢病管理}'
         when 3 then '{孕产妇,家庭医生签约}' else '{}' end,
       synth.moment(26, p.i, synth.today() - 1 - synth.draw(27, p.i, 300)::int)
from synth.people(1, synth.scaled(110000)) p
join households h on h.household_id = 1 + synth.draw(28, p.i, synth.scaled(38000))
cross join lateral (select (case when synth.draw(29, p.i, 10) < 3 then '户籍' else '非户籍' end)::residence) r (residence);

update households h set members = counted.members
from (select household_id, count(*) as members from residents group by household_id) counted
where counted.household_id = h.household_id;

insert into vaccinations
select synth.uuid(30, v), r.person_id, r.id_number, kind.code, kind.maker, to_char(synth.today() - kind.age, 'YYYYMM') || lpad(synth.draw(31, v, 100)::text, 3, '0'),
       1 + synth.draw(32, v, 3), 'JZ' || lpad((1 + synth.draw(33, v, 78))::text, 3, '0'), synth.today() - kind.age,
       synth.moment(34, v, synth.today() - kind.age),
       case when synth.draw(35, v, 5) = 0 then jsonb_build_object('minutes', 30, 'temperature', 36.1 + synth.draw(36, v, 12) / 10.0) end
from generate_series(1, synth.scaled(100000)) v
join residents r on r.person_id = 1 + synth.draw(37, v, synth.scaled(110000))
cross join lateral (
  select synth.pick(38, v, '{0101,0201,0303,0401,0501,0604,1101,2101}') as code,
         synth.pick(39, v, '{示例生物一厂,示例生物二厂,示例生物三厂,示例生物四厂}') as maker, synth.draw(40, v, 1500)::int as age
) kind;

insert into nucleic_acid_tests
select t, 'T' || lpad((t / 10)::text, 10, '0'), r.id_number, at.sampled,
       case when synth.draw(41, t, 50) > 0 then at.sampled + (120 + synth.draw(42, t, 900)) * interval '1 minute' end,
       outcome.result, case when outcome.result <> '阴性' then 18 + synth.draw(43, t, 200000) / 10000.0 end,
       synth.draw(44, t, 10) < 9, synth.pick(45, t, '{区人民医院检验科,区中心医院检验科,示例医学检验一所,示例医学检验二所}')
from generate_series(1, synth.scaled(60000)) t
join residents r on r.person_id = 1 + synth.draw(46, t, synth.scaled(110000))
cross join lateral (select synth.moment(47, t, synth.today() - 1000 - synth.draw(48, t, 400)::int)) at (sampled)
cross join lateral (select (case when synth.draw(49, t, 500) > 1 then '阴性' else synth.pick(50, t, '{阳性,待复核}') end)::test_result) outcome (result);

insert into arrivals
select p.i, p.id_number, p.name, p.mobile, (select code from synth.divisions where level = 'county' order by code offset synth.draw(51, p.i, 122) limit 1),
       trip.transport, case trip.transport when '高铁' then 'G' || (100 + synth.draw(53, p.i, 9000)) when '航班' then 'ZZ' || (1000 + synth.draw(53, p.i, 8999)) end,
       date_trunc('minute', synth.moment(54, p.i, synth.today() - 1 - synth.draw(55, p.i, 700)::int) at time zone 'Asia/Shanghai'), c.code, 1 + synth.draw(56, p.i, 180)
from synth.people(synth.scaled(110000) + 1, synth.scaled(110000) + synth.scaled(15000)) p
join synth.communities c on c.n = synth.draw(57, p.i, 113)
cross join lateral (select synth.pick(52, p.i, '{高铁,航班,自驾,大巴}')) trip (transport);

-- Planted: health.residents 6 in 1,000, the others as listed; no row is wrong in two ways.
select synth.plant('health.residents', 'FORMAT_RESIDENT_ID', 'residents', 'person_id', 'person_id % 1000 = 17', 'id_number = synth.broken_resident_id(id_number)');
select synth.plant('health.residents', 'FORMAT_MAXIMUM', 'residents', 'person_id', 'person_id % 1000 = 117', $$birth_date = '2099-01-01'$$);
select synth.plant('health.residents', 'ENUM', 'residents', 'person_id', 'person_id % 1000 = 217', $$division_code = '440309999999'$$);
select synth.plant('health.residents', 'FORMAT_MOBILE_NUMBER', 'residents', 'person_id', 'person_id % 1000 = 317', $$mobile = '0755-' || lpad(person_id::text, 8, '0')$$);
select synth.plant('health.residents', 'NOT_A_NUMBER', 'residents', 'person_id', 'person_id % 1000 = 417', $$height_cm = 'NaN'$$);
select synth.plant('health.residents', 'INFINITE', 'residents', 'person_id', 'person_id % 1000 = 517', $$birth_date = '-infinity'$$);
select synth.plant('health.households', 'MAXIMUM', 'households', 'household_id', 'household_id % 1000 = 117', 'latitude = latitude + 90');
select synth.plant('health.households', 'TYPE', 'households', 'household_id', 'household_id % 1000 = 217', $$longitude = 'NaN'$$);
select synth.plant('health.households', 'ENUM', 'households', 'household_id', 'household_id % 1000 = 317', $$division_code = '440309000999'$$);
select synth.plant('health.vaccinations', 'FORMAT_RESIDENT_ID', 'vaccinations', 'record_id', 'person_id % 1000 = 18', 'id_number = synth.broken_resident_id(id_number)');
select synth.plant('health.vaccinations', 'ENUM', 'vaccinations', 'record_id', 'person_id % 1000 = 118', $$vaccine_code = '9999'$$);
select synth.plant('health.vaccinations', 'MAXIMUM', 'vaccinations', 'record_id', 'person_id % 1000 = 218', 'dose = 11');
select synth.plant('health.vaccinations', 'INFINITE', 'vaccinations', 'record_id', 'person_id % 1000 = 318', $$recorded_at = 'infinity'$$);
select synth.duplicate('health.vaccinations', 'vaccinations', 'record_id', 'person_id % 500 = 401');
select synth.plant('health.nucleic-acid-tests', 'FORMAT_RESIDENT_ID', 'nucleic_acid_tests', 'sample_no', 'sample_no % 1000 = 19', $$id_number = '身份证缺失'$$);
select synth.plant('health.nucleic-acid-tests', 'PATTERN', 'nucleic_acid_tests', 'sample_no', 'sample_no % 1000 = 119', $$tube_code = lower(tube_code)$$);
select synth.plant('health.nucleic-acid-tests', 'MINIMUM', 'nucleic_acid_tests', 'sample_no', 'sample_no % 1000 = 219', 'ct_value = -1');
select synth.plant('health.arrivals', 'FORMAT_DIVISION_CODE', 'arrivals', 'arrival_no', 'arrival_no % 500 = 20', $$origin_code = '广东省'$$);
select synth.plant('health.arrivals', 'FORMAT_MOBILE_NUMBER', 'arrivals', 'arrival_no', 'arrival_no % 500 = 120', 'mobile = left(mobile, 10)');
select synth.plant('health.arrivals', 'MIN_LENGTH', 'arrivals', 'arrival_no', 'arrival_no % 500 = 220', $$name = ''$$);
select synth.duplicate('health.arrivals', 'arrivals', 'arrival_no', 'arrival_no % 500 = 320');

analyze;
drop schema synth cascade;
