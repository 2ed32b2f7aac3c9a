-- 区应急管理局 · 安全生产监管库. A composite key, an inspection's hazards as rows of their own.
create type risk as enum ('重大', '较大', '一般', '低');

create table inspections (
  inspection_no bigint primary key,
  credit_code text not null,
  inspected_at timestamptz not null,
  inspectors text[] not null,
  division_code text not null,
  risk risk not null,
  passed boolean not null,
  score numeric(5, 2) not null,
  next_due date
);
comment on table inspections is '安全生产检查';
comment on column inspections.inspection_no is '检查编号';
comment on column inspections.credit_code is '统一社会信用代码';
comment on column inspections.inspected_at is '检查时间';
comment on column inspections.inspectors is '检查人员编号';
comment on column inspections.division_code is '社区代码（12 位）';
comment on column inspections.risk is '风险等级';
comment on column inspections.passed is '是否合格';
comment on column inspections.score is '得分';
comment on column inspections.next_due is '下次检查日期';

create table hazards (
  inspection_no bigint,
  seq smallint not null,
  kind text not null,
  description text not null,
  deadline date not null,
  rectified_on date,
  fine numeric(12, 2)
);
comment on table hazards is '事故隐患（手工台账导入，无主键）';
comment on column hazards.inspection_no is '检查编号';
comment on column hazards.seq is '隐患序号';
comment on column hazards.kind is '隐患类别';
comment on column hazards.description is '隐患描述';
comment on column hazards.deadline is '整改期限';
comment on column hazards.rectified_on is '整改完成日期';
comment on column hazards.fine is '罚款（元）';

insert into inspections
select check_no, synth.credit_code(1 + synth.draw(211, check_no, synth.scaled(20000))), at.moment,
       array['YJ' || lpad(synth.draw(212, check_no, 300)::text, 4, '0'), 'YJ' || lpad((300 + synth.draw(213, check_no, 300))::text, 4, '0')], c.code,
       synth.pick(214, check_no, '{重大,较大,一般,一般,一般,低,低}')::risk, result.score >= 60, result.score, (at.moment at time zone 'Asia/Shanghai')::date + 180
from generate_series(1, synth.scaled(6000)) check_no
join synth.communities c on c.n = synth.draw(215, check_no, 113)
cross join lateral (select synth.moment(216, check_no, synth.today() - 1 - synth.draw(217, check_no, 500)::int)) at (moment)
cross join lateral (select 40 + synth.draw(218, check_no, 6000) / 100.0) result (score);

insert into hazards
select 1 + (h - 1) / 2 % synth.scaled(6000), 1 + (h - 1) % 2, synth.pick(219, h, '{消防通道,电气线路,危化品存放,有限空间,特种设备,临边防护}'),
       synth.pick(220, h, '{安全出口被堵塞,配电箱未上锁,气瓶未固定,未设警示标志,电梯超期未检,脚手架无护栏}'), due.day,
       case when synth.draw(221, h, 5) > 0 then due.day - synth.draw(222, h, 10)::int end, case when synth.draw(223, h, 9) = 0 then 1000 * (1 + synth.draw(224, h, 50)) end
from generate_series(1, synth.scaled(4000)) h
cross join lateral (select synth.today() - synth.draw(225, h, 480)::int) due (day);

-- Planted. A hazard without its inspection's number cannot be told from another: its key is null.
select synth.plant('emergency.inspections', 'FORMAT_SOCIAL_CREDIT_CODE', 'inspections', 'inspection_no', 'inspection_no % 500 = 17', 'credit_code = synth.broken_credit_code(credit_code)');
select synth.plant('emergency.inspections', 'MAXIMUM', 'inspections', 'inspection_no', 'inspection_no % 500 = 117', 'score = 100.01');
select synth.plant('emergency.inspections', 'ENUM', 'inspections', 'inspection_no', 'inspection_no % 500 = 217', $$division_code = '440399001001'$$);
select synth.plant('emergency.hazards', 'KEY_NULL', 'hazards', 'null::text', 'inspection_no % 200 = 18 and seq = 1', 'inspection_no = null');
select synth.plant('emergency.hazards', 'MIN_LENGTH', 'hazards', $$inspection_no || '/' || seq$$, 'inspection_no % 200 = 118 and seq = 1', $$description = '无'$$);
select synth.plant('emergency.hazards', 'OUT_OF_RANGE', 'hazards', $$inspection_no || '/' || seq$$, 'inspection_no % 200 = 18 and seq = 2', $$deadline = '12026-06-30'$$);
select synth.duplicate('emergency.hazards', 'hazards', $$inspection_no || '/' || seq$$, 'inspection_no % 200 = 68 and seq = 2');

analyze;
drop schema synth cascade;
