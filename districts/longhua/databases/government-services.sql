-- 区政务服务和数据管理局 · 政务服务库. Every name is Chinese: schemas, tables, columns and enum values.
create schema 政务;
create type 政务.办件状态 as enum ('受理', '审批中', '办结', '退件');

create table 政务.事项 (
  事项编码 text primary key,
  序号 bigint not null,
  事项名称 text not null,
  事项类型 text not null,
  实施主体代码 text not null,
  法定时限 integer not null,
  承诺时限 integer not null,
  秒批 boolean not null,
  办理深度 text[] not null,
  收费 numeric(10, 2),
  受理开始 time not null,
  更新时间 timestamptz not null
);
comment on table 政务.事项 is '政务服务事项';
comment on column 政务.事项.事项编码 is '事项编码';
comment on column 政务.事项.秒批 is '无人工干预自动审批';
comment on column 政务.事项.法定时限 is '法定办结时限（工作日）';
comment on column 政务.事项.承诺时限 is '承诺办结时限（工作日）';

create table 政务.办件 (
  办件编号 text not null,
  流水号 bigint not null,
  事项编码 text not null,
  申请人类型 text not null,
  申请人证件 text not null,
  申请人姓名 text not null,
  渠道 text not null,
  受理时间 timestamptz not null,
  状态 政务.办件状态 not null,
  办结时间 timestamptz,
  自动审批 boolean not null,
  评价 smallint,
  评价理由 text,
  表单 jsonb not null
);
comment on table 政务.办件 is '办件与好差评（多个窗口系统汇总，无主键）';
comment on column 政务.办件.办件编号 is '办件编号';
comment on column 政务.办件.评价 is '好差评：1 非常不满意 … 5 非常满意';
comment on column 政务.办件.表单 is '申请表单（各事项不同）';

create table 政务.电子证照 (
  证照标识 uuid primary key,
  序号 bigint not null,
  证照类型 text not null,
  证照名称 text not null,
  持证主体代码 text not null,
  持证主体名称 text not null,
  颁发机构代码 text not null,
  颁发日期 date not null,
  有效期至 date,
  文件摘要 bytea not null,
  查询次数 integer not null
);
comment on table 政务.电子证照 is '电子证照目录';
comment on column 政务.电子证照.证照标识 is '证照标识';
comment on column 政务.电子证照.文件摘要 is '版式文件的 SHA-256';
comment on column 政务.电子证照.查询次数 is '本年度查询次数';

insert into 政务.事项
select '11440399' || lpad(s::text, 6, '0') || '000', s, synth.pick(162, s, '{人才引进,食品经营,户外广告,道路占用,排水,施工,出版物,学位,医疗机构,社会组织}') || synth.pick(163, s, '{许可,备案,登记,核准,变更,注销}') || '（' || s || '）',
       synth.pick(164, s, '{行政许可,行政确认,公共服务,行政给付,其他权力}'), synth.credit_code(90000000 + synth.draw(165, s, 48), organ => true), term.days, (term.days / 2.0)::int,
       synth.draw(167, s, 4) = 0, case synth.draw(168, s, 3) when 0 then '{网上申报}'::text[] when 1 then '{网上申报,全程网办}' else '{网上申报,全程网办,零跑动}' end,
       case when synth.draw(169, s, 10) = 0 then synth.draw(170, s, 5000) / 10.0 end, time '09:00' + synth.draw(171, s, 3) * interval '30 minutes',
       synth.moment(172, s, synth.today() - 1 - synth.draw(173, s, 700)::int)
from generate_series(1, synth.scaled(1200)) s
cross join lateral (select (2 + synth.draw(166, s, 29))::int) term (days);

insert into 政务.办件
select 'LH' || to_char(at.accepted at time zone 'Asia/Shanghai', 'YYYYMMDD') || lpad(p.i::text, 8, '0'), p.i, '11440399' || lpad((1 + synth.draw(174, p.i, synth.scaled(1200)))::text, 6, '0') || '000',
       applicant.kind, case applicant.kind when '法人' then synth.credit_code(1 + synth.draw(175, p.i, synth.scaled(20000))) else p.id_number end,
       p.name, synth.pick(176, p.i, '{网上,窗口,自助终端,手机}'), at.accepted, progress.state::政务.办件状态,
       case when progress.state in ('办结', '退件') then at.accepted + synth.draw(177, p.i, 1000000) * interval '1 second' end, automatic.yes,
       rating.stars, case when rating.stars <= 2 then synth.pick(178, p.i, '{排队时间长,材料要求不清,系统卡顿,一次未告知}') end,
       jsonb_build_object('材料份数', 1 + synth.draw(179, p.i, 6), '邮寄', synth.draw(180, p.i, 2) = 1)
from synth.people(1, synth.scaled(25000)) p
cross join lateral (select synth.moment(181, p.i, synth.today() - 30 - synth.draw(182, p.i, 335)::int)) at (accepted)
cross join lateral (select case when synth.draw(183, p.i, 3) = 0 then '法人' else '自然人' end) applicant (kind)
cross join lateral (select synth.pick(184, p.i, '{办结,办结,办结,办结,办结,办结,受理,审批中,退件}')) progress (state)
cross join lateral (select synth.draw(185, p.i, 3) = 0) automatic (yes)
cross join lateral (select case when progress.state = '办结' and synth.draw(186, p.i, 3) > 0
  then (array[5, 5, 5, 5, 5, 5, 4, 4, 3, 2, 1])[1 + synth.draw(187, p.i, 11)] end) rating (stars);

insert into 政务.电子证照
select synth.uuid(188, p.i), p.i, kind.code, kind.name, case when kind.corporate then synth.credit_code(1 + synth.draw(189, p.i, synth.scaled(20000))) else p.id_number end,
       case when kind.corporate then '示例企业' || p.i else p.name end, synth.credit_code(90000000 + synth.draw(190, p.i, 48), organ => true), issued.day, case when synth.draw(191, p.i, 3) > 0 then issued.day + 1825 end,
       sha256(convert_to(synth.uuid(192, p.i)::text, 'UTF8')), (-95 * ln(1 - synth.draw(193, p.i, 1000000) / 1000000.0))::int
from synth.people(1, synth.scaled(12000)) p
join (values (0, 'ZZ-001', '居民身份证', false), (1, 'ZZ-014', '居住证', false), (2, 'ZZ-003', '出生医学证明', false),
             (3, 'ZZ-021', '营业执照', true), (4, 'ZZ-011', '不动产权证书', false)) kind (k, code, name, corporate)
  on kind.k = synth.draw(194, p.i, 5)
cross join lateral (select synth.today() - 1 - synth.draw(195, p.i, 3000)::int) issued (day);

-- Planted.
select synth.plant('government-services.service-items', 'MAXIMUM', '政务.事项', '事项编码', '序号 % 200 = 17', '法定时限 = 366');
select synth.plant('government-services.service-items', 'PATTERN', '政务.事项', '事项编码', '序号 % 200 = 117', $$事项编码 = '临时-' || 序号$$);
select synth.plant('government-services.cases', 'MAXIMUM', '政务.办件', '办件编号', '流水号 % 1000 = 17', '评价 = 6');
select synth.plant('government-services.cases', 'ENUM', '政务.办件', '办件编号', '流水号 % 1000 = 117', $$渠道 = '黄牛'$$);
select synth.plant('government-services.cases', 'PATTERN', '政务.办件', '办件编号', '流水号 % 1000 = 217', $$事项编码 = '未知'$$);
select synth.plant('government-services.cases', 'INFINITE', '政务.办件', '办件编号', '流水号 % 1000 = 317', $$受理时间 = '-infinity'$$);
select synth.duplicate('government-services.cases', '政务.办件', '办件编号', '流水号 % 1000 = 417');
select synth.plant('government-services.e-licences', 'FORMAT_MAXIMUM', '政务.电子证照', '证照标识', '序号 % 500 = 18', $$颁发日期 = '2062-01-01'$$);
select synth.plant('government-services.e-licences', 'MINIMUM', '政务.电子证照', '证照标识', '序号 % 500 = 118', '查询次数 = -1');
select synth.plant('government-services.e-licences', 'MIN_LENGTH', '政务.电子证照', '证照标识', '序号 % 500 = 218', $$持证主体名称 = ''$$);

analyze;
drop schema synth cascade;
