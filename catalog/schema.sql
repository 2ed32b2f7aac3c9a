-- Written by `npm run catalog:dump` from catalog/migrations/. Do not edit.

create table catalog_migration (
  id integer not null default nextval('catalog_migration_id_seq'::regclass),
  name character varying(255),
  batch integer,
  migration_time timestamp with time zone,
  constraint catalog_migration_pkey PRIMARY KEY (id)
);

create table catalog_migration_lock (
  index integer not null default nextval('catalog_migration_lock_index_seq'::regclass),
  is_locked integer,
  constraint catalog_migration_lock_pkey PRIMARY KEY (index)
);

create table contract (
  dataset text not null,
  version text not null,
  digest text not null,
  document json not null,
  created_at timestamp(3) with time zone not null default now(),
  constraint contract_pkey PRIMARY KEY (dataset, version),
  constraint contract_dataset_digest_key UNIQUE (dataset, digest),
  constraint contract_dataset_fkey FOREIGN KEY (dataset) REFERENCES dataset(code),
  constraint contract_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text)),
  constraint contract_version_check CHECK ((version ~ '^[0-9]+[.][0-9]+[.][0-9]+$'::text))
);
comment on table contract is 'every contract a dataset ever had: a version stays readable by the one it was checked against';
comment on column contract.document is 'json, not jsonb: members keep the order that their author gave them';

create table dataset (
  code text not null,
  department text not null,
  source text not null,
  title_zh text not null,
  title_en text not null,
  definition jsonb not null,
  sharing_class text not null,
  contract_digest text not null,
  contract_version text not null,
  search_text text not null,
  epoch bigint not null default 0,
  current_version integer,
  state text not null default 'active'::text,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint dataset_pkey PRIMARY KEY (code),
  constraint dataset_contract FOREIGN KEY (code, contract_version) REFERENCES contract(dataset, version) DEFERRABLE INITIALLY DEFERRED,
  constraint dataset_contract_digest_check CHECK ((contract_digest ~ '^[0-9a-f]{64}$'::text)),
  constraint dataset_current_version_check CHECK ((current_version >= 1)),
  constraint dataset_department_fkey FOREIGN KEY (department) REFERENCES department(code),
  constraint dataset_epoch_check CHECK ((epoch >= 0)),
  constraint dataset_sharing_class_check CHECK ((sharing_class = ANY (ARRAY['unconditional'::text, 'conditional'::text, 'not-shared'::text]))),
  constraint dataset_source_fkey FOREIGN KEY (source) REFERENCES source(code),
  constraint dataset_state_check CHECK ((state = ANY (ARRAY['active'::text, 'retired'::text])))
);
CREATE INDEX dataset_department ON public.dataset USING btree (department);
CREATE INDEX dataset_source ON public.dataset USING btree (source);
comment on column dataset.search_text is 'titles, abstract, keywords and item names, normalised and in lower case';
comment on column dataset.epoch is 'raised by each run that begins; an older run is FENCED';
comment on column dataset.current_version is 'moved by the commit of a run, in its transaction; null before the first';

create table department (
  code text not null,
  name_zh text not null,
  name_en text not null,
  credit_code text,
  definition jsonb not null,
  state text not null default 'active'::text,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint department_pkey PRIMARY KEY (code),
  constraint department_credit_code_key UNIQUE (credit_code),
  constraint department_state_check CHECK ((state = ANY (ARRAY['active'::text, 'retired'::text])))
);

create table district_apply (
  sequence bigint not null generated always as identity,
  id uuid not null,
  actor text not null,
  district text not null,
  plan_digest text not null,
  plan jsonb not null,
  definition jsonb not null,
  policy jsonb not null,
  applied_at timestamp(3) with time zone not null default now(),
  constraint district_apply_pkey PRIMARY KEY (sequence),
  constraint district_apply_id_key UNIQUE (id)
);
comment on table district_apply is 'one row for each apply that changed something; the newest one holds the district''s own definition and policy';

create table source (
  code text not null,
  department text not null,
  kind text not null,
  title_zh text not null,
  title_en text not null,
  definition jsonb not null,
  state text not null default 'active'::text,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint source_pkey PRIMARY KEY (code),
  constraint source_department_fkey FOREIGN KEY (department) REFERENCES department(code),
  constraint source_state_check CHECK ((state = ANY (ARRAY['active'::text, 'retired'::text])))
);
CREATE INDEX source_department ON public.source USING btree (department);
