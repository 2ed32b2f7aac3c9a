-- Helpers that every synthetic database of this folder is filled with; each file drops the schema synth when it is done.
--
-- Two settings, set by the client before this file runs (see README.md):
--   huitong.scale   1 is about 500,000 rows over all databases; 0.001 to 100; rows grow linearly
--   huitong.seed    another seed gives other people; the same seed and scale give the same content
--
-- Nobody real is in here: each identifier has the right shape and checksum in a range that is not issued.
--   resident ID   440399…   county code 99 of Shenzhen (4403) is not assigned in GB/T 2260
--   credit code   91440399… and 11440399…: the same county code as registering authority (GB 32100)
--   mobile        154…      a segment that is not assigned to an operator
--   plate         粤BI…     the letter I is never used after the city's letter (GA 36)
create schema synth;
create schema planted;
comment on schema planted is '有意植入的错误数据台账（仅供验收）';

create table planted.rows (dataset text not null, key text, code text not null);
comment on table planted.rows is '每条植入的错误记录：数据集、主键（多列以 / 相连，主键为空者为空）、预期错误码';

-- The day on which the synthetic district stands still: nothing in it is later, whatever today is.
create function synth.today() returns date language sql immutable as $$ select date '2026-06-30' $$;

create function synth.seed() returns bigint language sql stable as $$
  select coalesce(nullif(current_setting('huitong.seed', true), ''), '440309')::bigint
$$;

-- How many rows a table of `rows` rows at scale 1 gets; at least one.
create function synth.scaled(rows bigint) returns bigint language plpgsql stable as $$
declare
  scale numeric := coalesce(nullif(current_setting('huitong.scale', true), ''), '1')::numeric;
begin
  if not scale between 0.001 and 100 then
    raise exception 'huitong.scale is %, it must lie between 0.001 and 100', scale;
  end if;
  return greatest(1, round(rows * scale));
end $$;

-- A number from 0 to n - 1 that depends on the seed, a stream (one a column), and i. hashint8extended is what hash
-- partitions are stored by, so its values do not change between versions of PostgreSQL.
create function synth.draw(stream int, i bigint, n bigint) returns bigint language sql stable parallel safe as $$
  select (hashint8extended(i, synth.seed() * 1000 + stream) & 9223372036854775807) % n
$$;

create function synth.pick(stream int, i bigint, choices text[]) returns text language sql stable parallel safe as $$
  select choices[1 + synth.draw(stream, i, cardinality(choices))]
$$;

-- Microseconds matter: a time of day that no millisecond clock can hold.
create function synth.moment(stream int, i bigint, day date) returns timestamptz language sql stable parallel safe as $$
  select (day::timestamp + synth.draw(stream, i, 86400000000) * interval '1 microsecond') at time zone 'Asia/Shanghai'
$$;

create function synth.uuid(stream int, i bigint) returns uuid language sql stable parallel safe as $$
  select md5(synth.seed() || ':' || stream || ':' || i)::uuid
$$;

create function synth.surname(stream int, i bigint) returns text language sql stable parallel safe as $$
  select synth.pick(stream, i, '{王,李,张,刘,陈,杨,黄,赵,吴,周,徐,孙,马,朱,胡,郭,何,林,高,罗,郑,梁,谢,宋,唐,许,韩,邓,冯,曹,彭,曾,肖,田,董,潘,袁,蔡,蒋,余,于,杜,叶,程,魏,苏,吕,丁,任,卢,姚,沈,钟,姜,崔,谭,陆,范,汪,廖,石,金,韦,贾,夏,付,方,邹,熊,白,孟,秦,邱,侯,江,尹,薛,闫,段,雷,龙,黎,史,陶,贺,毛,郝,顾,龚,邵,欧阳,司徒,上官}'::text[])
$$;

create function synth.given_name(stream int, i bigint, female boolean) returns text language sql stable parallel safe as $$
  select case when female
    then synth.pick(stream, i, '{秀英,芳,娜,敏,静,丽,艳,娟,霞,秀兰,燕,玲,桂英,丹,萍,雪梅,婷婷,思琪,雨欣,梓涵,诗涵,欣怡,可馨,佳怡,一诺,晓彤,美玲,嘉敏,慧仪,淑贞,月娥,彩霞,海燕,小红,文静,晨曦,若曦,语桐,沐瑶,安然}'::text[])
    else synth.pick(stream, i, '{伟,强,磊,军,洋,勇,杰,涛,明,超,刚,平,辉,建国,建华,志强,国强,文杰,浩然,子轩,宇轩,俊杰,家豪,志明,海涛,永康,振华,嘉豪,伟强,俊熙,梓豪,奕辰,沐宸,宇航,天佑,德胜,富贵,春生,立新,铭泽}'::text[])
  end
$$;

create function synth.mobile(i bigint) returns text language sql stable parallel safe as $$
  select '154' || lpad(((i * 48271 + synth.seed()) % 100000000)::text, 8, '0')
$$;

-- GB 11643: digits is the birth date and the sequence, yyyymmddsss. Weights of 440399 add up to 187.
create function synth.resident_id(digits bigint) returns text language sql immutable parallel safe as $$
  select '440399' || digits || substr('10X98765432', 1 + (187
    + digits / 10000000000 * 2 + digits / 1000000000 % 10 * 1 + digits / 100000000 % 10 * 6
    + digits / 10000000 % 10 * 3 + digits / 1000000 % 10 * 7 + digits / 100000 % 10 * 9
    + digits / 10000 % 10 * 10 + digits / 1000 % 10 * 5 + digits / 100 % 10 * 8
    + digits / 10 % 10 * 4 + digits % 10 * 2)::int % 11, 1)
$$;

-- GB 11643: the same number with another check character.
create function synth.broken_resident_id(id text) returns text language sql immutable parallel safe as $$
  select left(id, 17) || translate(right(id, 1), '0123456789X', '123456789X0')
$$;

-- GB 11714: the check character of an organisation code of eight digits.
create function synth.organisation_check(n bigint) returns text language sql immutable parallel safe as $$
  select substr('0X987654321', 1 + (n / 10000000 * 3 + n / 1000000 % 10 * 7 + n / 100000 % 10 * 9
    + n / 10000 % 10 * 10 + n / 1000 % 10 * 5 + n / 100 % 10 * 8 + n / 10 % 10 * 4 + n % 10 * 2)::int % 11, 1)
$$;

-- GB 32100 for enterprise n (below 100,000,000), or for a public body: departments.yaml holds organs 90,000,000 to
-- 90,000,047. Weights of 91440399 add up to 531, those of 11440399 to 523.
create function synth.credit_code(n bigint, organ boolean default false) returns text language sql immutable parallel safe as $$
  select case when organ then '11440399' else '91440399' end || lpad(n::text, 8, '0') || synth.organisation_check(n)
    || substr('0123456789ABCDEFGHJKLMNPQRTUWXY', 1 + (31 - (case when organ then 523 else 531 end
      + n / 10000000 * 20 + n / 1000000 % 10 * 29 + n / 100000 % 10 * 25 + n / 10000 % 10 * 13
      + n / 1000 % 10 * 8 + n / 100 % 10 * 24 + n / 10 % 10 * 10 + n % 10 * 30
      + (position(synth.organisation_check(n) in '0123456789ABCDEFGHJKLMNPQRTUWX') - 1) * 28)::int % 31) % 31, 1)
$$;

create function synth.broken_credit_code(code text) returns text language sql immutable parallel safe as $$
  select left(code, 17) || translate(right(code, 1), '0123456789ABCDEFGHJKLMNPQRTUWXY', '123456789ABCDEFGHJKLMNPQRTUWXY0')
$$;

-- Person i is the same in every database. Ages follow a young district; no two people share a resident ID up to scale 100.
create function synth.people(first bigint, last bigint)
returns table (i bigint, id_number text, name text, sex text, birth_date date, mobile text)
language sql stable as $$
  with band (first_slot, slots, born_from, days) as (
    values (0, 18, date '2008-07-01', 6574), (18, 60, date '1981-07-01', 9862),
           (78, 15, date '1966-07-01', 5479), (93, 7, date '1936-07-01', 10957)
  ), place as (
    select i, born_from, ((i / 100 * slots + i % 100 - first_slot) * 2147483647 + synth.seed()) % (days * 1000) as place
    from generate_series(first, last) i
    join band on i % 100 >= first_slot and i % 100 < first_slot + slots
  ), born as materialized (
    select i, place % 1000 as sequence, born_from + (place / 1000)::int as birth_date from place
  ), numbered as materialized (
    select i, sequence % 2 = 0 as female, birth_date, to_char(birth_date, 'YYYYMMDD')::bigint * 1000 + sequence as digits
    from born
  )
  select i, synth.resident_id(digits), synth.surname(1, i) || synth.given_name(2, i, female),
         case when female then '女' else '男' end, birth_date, synth.mobile(i)
  from numbered
$$;

create table synth.divisions (code text primary key, level text not null, name text not null, parent_code text);

-- The communities of Longhua with their streets, numbered from 0; divisions.sql fills the table.
create view synth.communities as
select row_number() over (order by c.code) - 1 as n, c.code, replace(c.name, '居委会', '') as name, s.code as street_code, s.name as street
from synth.divisions c join synth.divisions s on s.code = c.parent_code
where c.level = 'community';

-- Breaks the rows of a table that `rows` selects by `change`, and writes each of them into planted.rows.
create function synth.plant(dataset text, code text, target regclass, key text, rows text, change text) returns void
language plpgsql as $$
begin
  execute format('with bad as (update %s set %s where %s returning %s as key)
    insert into planted.rows select %L, key::text, %L from bad', target, change, rows, key, dataset, code);
end $$;

-- Adds a second copy of the rows that `rows` selects; the later of two equal keys is what a contract refuses.
create function synth.duplicate(dataset text, target regclass, key text, rows text) returns void language plpgsql as $$
begin
  execute format('with again as (insert into %1$s select * from %1$s where %2$s returning %3$s as key)
    insert into planted.rows select %4$L, key::text, %5$L from again', target, rows, key, dataset, 'DUPLICATE_KEY');
end $$;
