-- 区民政局 · 区划与社会救助库. The divisions are real (README.md); the allowances are synthetic.
create table divisions (
  code text primary key,
  level text not null,
  name text not null,
  parent_code text
);
comment on table divisions is '行政区划（广东省至龙华区各社区）';
comment on column divisions.code is '统计用区划代码（12 位）';
comment on column divisions.level is '级别';
comment on column divisions.name is '名称';
comment on column divisions.parent_code is '上级代码';

create table allowances (
  allowance_no bigint primary key,
  id_number text not null,
  name text not null,
  kind text not null,
  monthly_amount numeric(8, 2) not null,
  granted_from date not null,
  granted_to date,
  bank_account text not null,
  family_members integer[] not null,
  reviewed_at timestamptz not null
);
comment on table allowances is '社会救助与福利津贴';
comment on column allowances.allowance_no is '发放编号';
comment on column allowances.id_number is '居民身份证号码';
comment on column allowances.name is '姓名';
comment on column allowances.kind is '救助类别';
comment on column allowances.monthly_amount is '月发放额（元）';
comment on column allowances.granted_from is '起始日期';
comment on column allowances.granted_to is '终止日期';
comment on column allowances.bank_account is '银行账号（合成）';
comment on column allowances.family_members is '家庭成员年龄';
comment on column allowances.reviewed_at is '复核时间';

insert into divisions select code, level, name, parent_code from synth.divisions;

insert into allowances
select p.i, p.id_number, p.name, kind.name, kind.amount, start.day, case when synth.draw(281, p.i, 3) = 0 then start.day + 365 end,
       '999999' || lpad(synth.draw(282, p.i, 10000000000)::text, 13, '0'), array[synth.draw(283, p.i, 90), synth.draw(284, p.i, 60)]::int[],
       synth.moment(285, p.i, synth.today() - 1 - synth.draw(286, p.i, 90)::int)
from synth.people(1, synth.scaled(2000)) p
join (values (0, '最低生活保障', 1413.00), (1, '高龄津贴', 300.00), (2, '残疾人两项补贴', 655.50), (3, '特困人员供养', 2261.00)) kind (k, name, amount)
  on kind.k = synth.draw(287, p.i, 4)
cross join lateral (select synth.today() - 1 - synth.draw(288, p.i, 1200)::int) start (day);

-- Planted. No division is touched.
select synth.plant('civil-affairs.allowances', 'FORMAT_RESIDENT_ID', 'allowances', 'allowance_no', 'allowance_no % 200 = 17', $$id_number = left(id_number, 15)$$);
select synth.plant('civil-affairs.allowances', 'NOT_A_NUMBER', 'allowances', 'allowance_no', 'allowance_no % 200 = 117', $$monthly_amount = 'NaN'$$);
select synth.plant('civil-affairs.allowances', 'ENUM', 'allowances', 'allowance_no', 'allowance_no % 200 = 67', $$kind = '其他'$$);

analyze;
drop schema synth cascade;
