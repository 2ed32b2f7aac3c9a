-- 区教育局 · 学籍库. Children only: sharing class "not shared" for whole rows.
create table enrolments (
  student_no text primary key,
  serial bigint not null,
  id_number text not null,
  name text not null,
  sex text not null,
  birth_date date not null,
  school_code text not null,
  grade smallint not null,
  guardian_mobile text not null,
  boarding boolean not null,
  enrolled_on date not null
);
comment on table enrolments is '学籍';
comment on column enrolments.student_no is '学籍号';
comment on column enrolments.serial is '流水号';
comment on column enrolments.id_number is '居民身份证号码';
comment on column enrolments.name is '姓名';
comment on column enrolments.sex is '性别';
comment on column enrolments.birth_date is '出生日期';
comment on column enrolments.school_code is '学校代码';
comment on column enrolments.grade is '年级';
comment on column enrolments.guardian_mobile is '监护人手机';
comment on column enrolments.boarding is '是否寄宿';
comment on column enrolments.enrolled_on is '入学日期';

-- People 1 to 110,000 hold about 11,000 of school age; every other one goes to a public school of the district.
insert into enrolments
select 'G' || p.id_number, p.i, p.id_number, p.name, p.sex, p.birth_date, '3144039' || lpad((1 + synth.draw(271, p.i, 90))::text, 3, '0'),
       least(9, 2025 - extract(year from p.birth_date) - 5)::smallint, synth.mobile(p.i + synth.scaled(400000)), synth.draw(272, p.i, 15) = 0,
       make_date(extract(year from p.birth_date)::int + 6, 9, 1)
from synth.people(1, synth.scaled(110000)) p
where p.birth_date between '2010-01-01' and '2019-08-31' and synth.draw(273, p.i, 2) = 0;

-- Planted.
select synth.plant('education.enrolments', 'FORMAT_RESIDENT_ID', 'enrolments', 'student_no', 'serial % 1000 = 17', 'id_number = synth.broken_resident_id(id_number)');
select synth.plant('education.enrolments', 'MAXIMUM', 'enrolments', 'student_no', 'serial % 1000 = 107', 'grade = 13');
select synth.plant('education.enrolments', 'FORMAT_MAXIMUM', 'enrolments', 'student_no', 'serial % 1000 = 205', $$birth_date = '2031-01-01'$$);

analyze;
drop schema synth cascade;
