-- 市公安局龙华分局 · 视频监控一本账. Addresses (inet), bits of a ledger that nine owners report into.
create type camera_owner as enum ('公安', '视频门禁', '明厨亮灶', '安全生产', '交通', '卫健', '医院', '接种点', '隔离酒店');
create type camera_state as enum ('在线', '离线', '检修');

create table cameras (
  camera_id text primary key,
  camera_no bigint not null,
  owner camera_owner not null,
  name text not null,
  community_code text not null,
  longitude numeric(9, 6) not null,
  latitude numeric(8, 6) not null,
  address inet not null,
  resolution text not null,
  analytics text[] not null,
  installed_on date not null,
  state camera_state not null,
  last_seen timestamptz
);
comment on table cameras is '视频监控一本账';
comment on column cameras.camera_id is '国标编码（GB/T 28181，20 位）';
comment on column cameras.camera_no is '台账序号';
comment on column cameras.owner is '建设单位类别';
comment on column cameras.name is '点位名称';
comment on column cameras.community_code is '社区代码（12 位）';
comment on column cameras.longitude is '经度';
comment on column cameras.latitude is '纬度';
comment on column cameras.address is '视频专网地址';
comment on column cameras.resolution is '分辨率';
comment on column cameras.analytics is '智能分析能力';
comment on column cameras.installed_on is '安装日期';
comment on column cameras.state is '状态';
comment on column cameras.last_seen is '最近在线时间';

create table camera_faults (
  fault_id uuid primary key,
  camera_id text not null,
  fault_no bigint not null,
  reported_at timestamptz not null,
  kind text not null,
  repair_minutes integer,
  cost numeric(9, 2)
);
comment on table camera_faults is '视频监控故障';
comment on column camera_faults.fault_id is '故障编号';
comment on column camera_faults.camera_id is '国标编码';
comment on column camera_faults.fault_no is '流水号';
comment on column camera_faults.reported_at is '报障时间';
comment on column camera_faults.kind is '故障类别';
comment on column camera_faults.repair_minutes is '修复用时（分钟）';
comment on column camera_faults.cost is '维修费用（元）';

create function synth.camera_id(i bigint) returns text language sql immutable as $$
  select '44039900' || '00132' || lpad(i::text, 7, '0')
$$;

-- The 26,200 by owner, as ranges; 17389 has no factor in common with 26,200, so i runs through all of them once, mixed.
insert into cameras
select synth.camera_id(i), i, o.owner::camera_owner, c.street || c.name || o.owner || lpad((i % 1000)::text, 3, '0') || '号', c.code,
       113.98 + synth.draw(131, i, 120000) / 1000000.0, 22.60 + synth.draw(132, i, 150000) / 1000000.0,
       inet '10.64.0.0' + synth.draw(133, i, 4000000), synth.pick(134, i, '{1920x1080,1920x1080,2560x1440,3840x2160}'),
       case o.owner when '明厨亮灶' then '{未戴厨帽,鼠患}'::text[] when '安全生产' then '{烟火,安全帽}' when '交通' then '{号牌,拥堵}' else '{}' end,
       synth.today() - 1 - synth.draw(135, i, 2500)::int, health.state::camera_state,
       case when health.state <> '检修' then synth.moment(136, i, synth.today() - case when health.state = '在线' then 1 else 9 end) end
from generate_series(1, synth.scaled(26200)) i
join (values ('公安', 0, 9800), ('视频门禁', 9800, 18600), ('明厨亮灶', 18600, 21400), ('安全生产', 21400, 23200), ('交通', 23200, 24700),
             ('卫健', 24700, 25100), ('医院', 25100, 25700), ('接种点', 25700, 25960), ('隔离酒店', 25960, 26200)) o (owner, first, beyond)
  on i * 17389 % 26200 >= o.first and i * 17389 % 26200 < o.beyond
join synth.communities c on c.n = synth.draw(137, i, 113)
cross join lateral (select synth.pick(138, i, '{在线,在线,在线,在线,在线,在线,在线,在线,离线,检修}')) health (state);

insert into camera_faults
select synth.uuid(139, f), synth.camera_id(1 + synth.draw(140, f, synth.scaled(26200))), f, synth.moment(141, f, synth.today() - 1 - synth.draw(142, f, 365)::int),
       synth.pick(143, f, '{断电,断网,镜头污损,设备损坏,偏移}'), case when repaired.done then 15 + synth.draw(144, f, 4000)::int end,
       case when repaired.done then synth.draw(145, f, 300000) / 100.0 end
from generate_series(1, synth.scaled(3800)) f
cross join lateral (select synth.draw(146, f, 10) > 0) repaired (done);

-- Planted. The total of the ledger stays what it is: rows are broken, none is added.
select synth.plant('police.cameras', 'ENUM', 'cameras', 'camera_id', 'camera_no % 500 = 17', $$community_code = '440309001099'$$);
select synth.plant('police.cameras', 'PATTERN', 'cameras', 'camera_id', 'camera_no % 500 = 117', $$camera_id = left(camera_id, 13) || 'X' || right(camera_id, 6)$$);
select synth.plant('police.cameras', 'MINIMUM', 'cameras', 'camera_id', 'camera_no % 500 = 217', 'longitude = latitude');
select synth.plant('police.cameras', 'INFINITE', 'cameras', 'camera_id', 'camera_no % 500 = 317', $$last_seen = 'infinity'$$);
select synth.plant('police.camera-faults', 'MINIMUM', 'camera_faults', 'fault_id', 'fault_no % 500 = 18', 'repair_minutes = -1');
select synth.plant('police.camera-faults', 'MAXIMUM', 'camera_faults', 'fault_id', 'fault_no % 500 = 118', 'cost = 9999999.99');

analyze;
drop schema synth cascade;
