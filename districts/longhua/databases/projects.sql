-- 区发展和改革局 · 智慧龙华项目库. 195 projects whatever the scale: 32 foundations, 39 platforms, 124 applications.
create table contractors (
  contractor_id integer primary key,
  credit_code text not null,
  name text not null,
  grade text not null,
  contact_mobile text
);
comment on table contractors is '承建单位';
comment on column contractors.contractor_id is '承建单位编号';
comment on column contractors.credit_code is '统一社会信用代码';
comment on column contractors.name is '名称';
comment on column contractors.grade is '履约评价';
comment on column contractors.contact_mobile is '联系手机';

create table projects (
  project_no text primary key,
  kind text not null,
  name text not null,
  owner_department text not null,
  contractor_id integer not null references contractors,
  budget numeric(14, 2) not null,
  approved_on date not null,
  started_on date,
  accepted_on date,
  progress real not null,
  milestones jsonb not null
);
comment on table projects is '信息化建设项目';
comment on column projects.project_no is '项目编号';
comment on column projects.kind is '类别：基础设施、平台、应用';
comment on column projects.name is '项目名称';
comment on column projects.owner_department is '建设单位代码';
comment on column projects.contractor_id is '承建单位编号';
comment on column projects.budget is '批复预算（元）';
comment on column projects.approved_on is '批复日期';
comment on column projects.started_on is '开工日期';
comment on column projects.accepted_on is '验收日期';
comment on column projects.progress is '进度（0–1）';
comment on column projects.milestones is '里程碑';

insert into contractors
select c, synth.credit_code(80000000 + c), '示例' || synth.pick(231, c, '{云,数,智,网,芯,图}') || synth.pick(232, c, '{腾,图,联,航,维,桥}') || c || '科技有限公司', synth.pick(233, c, '{优,良,良,中}'),
       case when synth.draw(234, c, 4) > 0 then synth.mobile(synth.scaled(300000) + c) end
from generate_series(1, 60) c;

insert into projects
select 'ZHLH-' || lpad(p::text, 3, '0'), kind.name, '智慧' || synth.pick(235, p, '{社区,交通,医疗,教育,应急,城管,政务,水务,消防,市场监管}') || kind.suffix || '（' || p || '期）',
       synth.pick(236, p, '{health,traffic,market,police,government-services,emergency,education,civil-affairs,urban-management}'),
       1 + synth.draw(237, p, 60), (50 + synth.draw(238, p, 4950)) * 10000 + synth.draw(239, p, 100) / 100.0, approved.day,
       case when step.progress > 0 then approved.day + 60 end, case when step.progress = 1 then approved.day + 400 end, step.progress,
       jsonb_build_array(jsonb_build_object('name', '立项', 'done', true), jsonb_build_object('name', '验收', 'done', step.progress = 1))
from generate_series(1, 195) p
join (values ('基础设施', '基础设施', 1, 32), ('平台', '平台', 33, 71), ('应用', '应用', 72, 195)) kind (name, suffix, first, last) on p between kind.first and kind.last
cross join lateral (select synth.today() - 60 - synth.draw(240, p, 1700)::int) approved (day)
cross join lateral (select (array[0, 0.25, 0.5, 0.75, 1, 1, 1])[1 + synth.draw(241, p, 7)]) step (progress);

-- Planted: fixed rows, as the tables do not grow.
select synth.plant('development-reform.projects', 'ENUM', 'projects', 'project_no', $$project_no = 'ZHLH-007'$$, $$owner_department = '某科室'$$);
select synth.plant('development-reform.projects', 'MAXIMUM', 'projects', 'project_no', $$project_no in ('ZHLH-077', 'ZHLH-177')$$, 'progress = 1.5');
select synth.plant('development-reform.contractors', 'FORMAT_SOCIAL_CREDIT_CODE', 'contractors', 'contractor_id', 'contractor_id = 17', 'credit_code = synth.broken_credit_code(credit_code)');
select synth.plant('development-reform.contractors', 'FORMAT_MOBILE_NUMBER', 'contractors', 'contractor_id', 'contractor_id = 27', $$contact_mobile = '4008001234'$$);

analyze;
drop schema synth cascade;
