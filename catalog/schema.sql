-- Written by `npm run catalog:dump` from catalog/migrations/. Do not edit.

create table access_grant (
  id uuid not null,
  grantee text not null,
  dataset text not null,
  provider text not null,
  terms jsonb not null,
  policy_digest text,
  not_before timestamp(3) with time zone not null,
  expires_at timestamp(3) with time zone not null,
  request text,
  state text not null default 'active'::text,
  epoch integer not null default 1,
  reason text,
  created_by text not null,
  created_at timestamp(3) with time zone not null default now(),
  changed_at timestamp(3) with time zone not null default now(),
  constraint access_grant_pkey PRIMARY KEY (id),
  constraint access_grant_check CHECK ((not_before < expires_at)),
  constraint access_grant_dataset_fkey FOREIGN KEY (dataset) REFERENCES dataset(code),
  constraint access_grant_epoch_check CHECK ((epoch >= 1)),
  constraint access_grant_policy_digest_check CHECK ((policy_digest ~ '^[0-9a-f]{64}$'::text)),
  constraint access_grant_state_check CHECK ((state = ANY (ARRAY['active'::text, 'suspended'::text, 'revoked'::text, 'expired'::text])))
);
CREATE INDEX access_grant_dataset ON public.access_grant USING btree (dataset, id DESC);
CREATE INDEX access_grant_ending ON public.access_grant USING btree (expires_at) WHERE (state = ANY (ARRAY['active'::text, 'suspended'::text]));
CREATE INDEX access_grant_grantee ON public.access_grant USING btree (grantee, id DESC);
CREATE INDEX access_grant_policy ON public.access_grant USING btree (policy_digest) WHERE (state = ANY (ARRAY['active'::text, 'suspended'::text]));
CREATE INDEX access_grant_usable ON public.access_grant USING btree (grantee, dataset) WHERE (state = 'active'::text);
comment on column access_grant.terms is 'schemas/document/grant-terms.json; immutable';
comment on column access_grant.policy_digest is 'names what masks and row filter make of a version; null where columns are given as they are';
comment on column access_grant.request is 'the request that it answers';
comment on column access_grant.epoch is 'raised with every change of state: a stream that began under an older one ends';

create table access_token (
  id uuid not null,
  department text not null,
  subject text not null,
  roles text[] not null,
  label text,
  hash bytea not null,
  created_at timestamp(3) with time zone not null default now(),
  expires_at timestamp(3) with time zone,
  revoked_at timestamp(3) with time zone,
  person uuid,
  addresses text[],
  previous_hash bytea,
  previous_expires_at timestamp(3) with time zone,
  constraint access_token_pkey PRIMARY KEY (id),
  constraint access_token_check CHECK (((previous_hash IS NULL) = (previous_expires_at IS NULL))),
  constraint access_token_hash_check CHECK ((length(hash) = 32)),
  constraint access_token_person_fkey FOREIGN KEY (person) REFERENCES person(id),
  constraint access_token_previous_hash_check CHECK ((length(previous_hash) = 32)),
  constraint access_token_roles_check CHECK ((cardinality(roles) > 0)),
  constraint access_token_subject_check CHECK (((length(subject) >= 1) AND (length(subject) <= 100)))
);
CREATE INDEX access_token_department ON public.access_token USING btree (department);
CREATE INDEX access_token_person ON public.access_token USING btree (person) WHERE (person IS NOT NULL);
comment on column access_token.hash is 'SHA-256 of the token''s 256 random bits: nothing to guess, so no slow hash is needed';

create table audit_outbox (
  id bigint not null default nextval('audit_outbox_id_seq'::regclass),
  leaf jsonb not null,
  created_at timestamp(3) with time zone not null default now(),
  constraint audit_outbox_pkey PRIMARY KEY (id)
);
comment on table audit_outbox is 'leaves written by the transaction they tell of; the log''s sequencer takes them from here';

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

create table correction (
  "case" uuid not null,
  item text not null,
  key_hash text not null,
  claim bytea not null,
  checked_version integer not null,
  fixed_version integer,
  fix_shown boolean,
  constraint correction_pkey PRIMARY KEY ("case"),
  constraint correction_case_fkey FOREIGN KEY ("case") REFERENCES duty_case(id),
  constraint correction_key_hash_check CHECK ((key_hash ~ '^hmac-sha256:[0-9a-f]{64}$'::text))
);
comment on column correction.key_hash is 'keyed hash of the row''s key, as in the leaves of look-ups';
comment on column correction.claim is 'sealed: the key, and what the item should be; opened for the provider''s sharing officer, with a leaf';
comment on column correction.checked_version is 'up to which version the row was compared';
comment on column correction.fix_shown is 'the exchange has seen the row differ in fixed_version; false: the provider says so, with a reason';

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
  review uuid,
  constraint dataset_pkey PRIMARY KEY (code),
  constraint dataset_contract FOREIGN KEY (code, contract_version) REFERENCES contract(dataset, version) DEFERRABLE INITIALLY DEFERRED,
  constraint dataset_contract_digest_check CHECK ((contract_digest ~ '^[0-9a-f]{64}$'::text)),
  constraint dataset_current_version FOREIGN KEY (code, current_version) REFERENCES version(dataset, number),
  constraint dataset_current_version_check CHECK ((current_version >= 1)),
  constraint dataset_department_fkey FOREIGN KEY (department) REFERENCES department(code),
  constraint dataset_epoch_check CHECK ((epoch >= 0)),
  constraint dataset_review_fkey FOREIGN KEY (review) REFERENCES duty_case(id),
  constraint dataset_sharing_class_check CHECK ((sharing_class = ANY (ARRAY['unconditional'::text, 'conditional'::text, 'not-shared'::text]))),
  constraint dataset_source_fkey FOREIGN KEY (source) REFERENCES source(code),
  constraint dataset_state_check CHECK ((state = ANY (ARRAY['active'::text, 'retired'::text, 'revoked'::text])))
);
CREATE INDEX dataset_department ON public.dataset USING btree (department);
CREATE INDEX dataset_source ON public.dataset USING btree (source);
comment on column dataset.search_text is 'titles, abstract, keywords and item names, normalised and in lower case';
comment on column dataset.epoch is 'raised by each run that begins; an older run is FENCED';
comment on column dataset.current_version is 'moved by the commit of a run, in its transaction; null before the first';
comment on column dataset.review is 'the case by which the entry was published or revoked last; null: by an apply. What a review decided, no apply changes';

create table dataset_reader (
  dataset text not null,
  version integer not null,
  department text not null,
  first_at timestamp(3) with time zone not null,
  last_at timestamp(3) with time zone not null,
  constraint dataset_reader_pkey PRIMARY KEY (dataset, version, department)
);

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

create table duty_case (
  id uuid not null,
  kind text not null,
  cause text not null,
  department text not null,
  provider text not null,
  supervisor text not null,
  dataset text not null,
  version integer,
  state text not null,
  sequence integer not null default 0,
  claimants text[] not null,
  tended_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  constraint duty_case_pkey PRIMARY KEY (id),
  constraint duty_case_kind_cause_department_key UNIQUE (kind, cause, department),
  constraint duty_case_kind_check CHECK ((kind = ANY (ARRAY['correction'::text, 'rating'::text, 'confirmation'::text, 'destruction'::text, 'entry-publication'::text, 'entry-revocation'::text, 'entry-update'::text]))),
  constraint duty_case_provider_fkey FOREIGN KEY (provider) REFERENCES department(code),
  constraint duty_case_sequence_check CHECK ((sequence >= 0))
);
CREATE INDEX duty_case_dataset ON public.duty_case USING btree (dataset, id DESC);
CREATE INDEX duty_case_department ON public.duty_case USING btree (department, id DESC);
CREATE UNIQUE INDEX duty_case_entry_review ON public.duty_case USING btree (dataset) WHERE (state = ANY (ARRAY['ENTRY_DRAFT'::text, 'PUBLISH_REVIEW'::text, 'REVOKE_REVIEW'::text]));
CREATE INDEX duty_case_provider ON public.duty_case USING btree (provider, id DESC);
CREATE INDEX duty_case_untended ON public.duty_case USING btree (id) WHERE (tended_at IS NULL);
comment on column duty_case.cause is 'what it came from: itself, rating/<id>, recall/<dataset>/<version>, correction/<id>, grant/<id>; each causes one case a department';
comment on column duty_case.department is 'who filed it, or who holds the copies';
comment on column duty_case.dataset is 'of an entry-publication: perhaps not in the catalog yet';
comment on column duty_case.claimants is 'keyed hashes of all who spoke for the department that filed it: none of them decides it';
comment on column duty_case.tended_at is 'when its workflow was started; a case without one is found by the next pass';

create table duty_case_duty (
  "case" uuid not null,
  sequence integer not null,
  duty text not null,
  party text not null,
  department text not null,
  began_at timestamp(3) with time zone not null,
  counted_from timestamp(3) with time zone not null,
  deadline timestamp(3) with time zone not null,
  provisional boolean not null,
  policy_version text not null,
  reminders_due timestamp(3) with time zone[] not null,
  reminders_sent integer not null default 0,
  overdue_at timestamp(3) with time zone,
  ended_at timestamp(3) with time zone,
  constraint duty_case_duty_pkey PRIMARY KEY ("case", sequence),
  constraint duty_case_duty_case_fkey FOREIGN KEY ("case") REFERENCES duty_case(id)
);
CREATE INDEX duty_case_duty_department ON public.duty_case_duty USING btree (department, deadline) WHERE (ended_at IS NULL);
CREATE UNIQUE INDEX duty_case_duty_open ON public.duty_case_duty USING btree ("case") WHERE (ended_at IS NULL);

create table duty_case_event (
  "case" uuid not null,
  sequence integer not null,
  id uuid not null,
  action text not null,
  from_state text,
  to_state text not null,
  party text not null,
  actor text not null,
  person text,
  department text,
  reason text,
  version integer,
  policy_version text,
  deadline timestamp(3) with time zone,
  provisional boolean,
  at timestamp(3) with time zone not null,
  recorded_at timestamp(3) with time zone not null default now(),
  constraint duty_case_event_pkey PRIMARY KEY ("case", sequence),
  constraint duty_case_event_case_fkey FOREIGN KEY ("case") REFERENCES duty_case(id),
  constraint duty_case_event_id_key UNIQUE (id),
  constraint duty_case_event_sequence_check CHECK ((sequence >= 0))
);

create table entry_proposal (
  "case" uuid not null,
  files json not null,
  base text not null,
  constraint entry_proposal_pkey PRIMARY KEY ("case"),
  constraint entry_proposal_base_check CHECK ((base ~ '^[0-9a-f]{64}$'::text)),
  constraint entry_proposal_case_fkey FOREIGN KEY ("case") REFERENCES duty_case(id)
);
comment on column entry_proposal.files is 'the dataset''s file and its contract''s by path, as they were sent';
comment on column entry_proposal.base is 'digest of the entry in force when it was proposed; another one by then is PLAN_STALE';

create table extraction_state (
  dataset text not null,
  run uuid not null,
  version integer not null,
  basis text not null,
  "position" text,
  updated_at timestamp(3) with time zone not null default now(),
  constraint extraction_state_pkey PRIMARY KEY (dataset),
  constraint extraction_state_dataset_fkey FOREIGN KEY (dataset) REFERENCES dataset(code),
  constraint extraction_state_dataset_version_fkey FOREIGN KEY (dataset, version) REFERENCES version(dataset, number),
  constraint extraction_state_run_fkey FOREIGN KEY (run) REFERENCES run(id)
);
comment on table extraction_state is 'written by the transaction that commits the version it belongs to, and by no other';
comment on column extraction_state."position" is 'the source''s own text; null where nothing was old enough to be read';

create table grant_usage (
  "grant" uuid not null,
  mode text not null,
  day date not null,
  used bigint not null,
  constraint grant_usage_pkey PRIMARY KEY ("grant", mode, day),
  constraint grant_usage_grant_fkey FOREIGN KEY ("grant") REFERENCES access_grant(id),
  constraint grant_usage_used_check CHECK ((used >= 0))
);
comment on column grant_usage.day is 'in Asia/Shanghai';

create table idempotent_request (
  token uuid not null,
  key text not null,
  digest bytea not null,
  status integer,
  body text,
  created_at timestamp(3) with time zone not null default now(),
  constraint idempotent_request_pkey PRIMARY KEY (token, key),
  constraint idempotent_request_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);
CREATE INDEX idempotent_request_created_at ON public.idempotent_request USING btree (created_at);
comment on column idempotent_request.digest is 'SHA-256 of method, address and body: the key stands for one request';
comment on column idempotent_request.status is 'null while the first request is at work';

create table lease (
  id uuid not null,
  digest text not null,
  holder text not null,
  expires_at timestamp(3) with time zone not null,
  constraint lease_pkey PRIMARY KEY (id, digest)
);
CREATE INDEX lease_digest ON public.lease USING btree (digest);
CREATE INDEX lease_expiry ON public.lease USING btree (expires_at);

create table lineage_edge (
  dataset text not null,
  item text not null,
  source text not null,
  source_table text not null,
  source_column text not null,
  since_version integer not null,
  until_version integer,
  constraint lineage_edge_pkey PRIMARY KEY (dataset, since_version, item, source, source_table, source_column),
  constraint lineage_edge_check CHECK ((until_version > since_version)),
  constraint lineage_edge_dataset_fkey FOREIGN KEY (dataset) REFERENCES dataset(code),
  constraint lineage_edge_dataset_since_version_fkey FOREIGN KEY (dataset, since_version) REFERENCES version(dataset, number),
  constraint lineage_edge_source_fkey FOREIGN KEY (source) REFERENCES source(code)
);
CREATE UNIQUE INDEX lineage_edge_current ON public.lineage_edge USING btree (dataset, item, source, source_table, source_column) WHERE (until_version IS NULL);
comment on column lineage_edge.until_version is 'the first version that no longer has the edge: 10,000 equal versions are one row';

create table log_entry (
  index bigint not null,
  entry bytea not null,
  constraint log_entry_pkey PRIMARY KEY (index),
  constraint log_entry_index_check CHECK ((index >= 0))
);
comment on column log_entry.entry is 'the leaf''s canonical JSON, UTF-8, exactly as hashed';

create table log_projection (
  id smallint not null default 1,
  next_index bigint not null,
  constraint log_projection_pkey PRIMARY KEY (id),
  constraint log_projection_id_check CHECK ((id = 1)),
  constraint log_projection_next_index_check CHECK ((next_index >= 0))
);
comment on column log_projection.next_index is 'the first leaf that is not counted; moved in the transaction that counts';

create table log_state (
  id smallint not null default 1,
  size bigint not null,
  root bytea not null,
  epoch bigint not null,
  head text,
  updated_at timestamp(3) with time zone not null default now(),
  address text,
  refused text,
  constraint log_state_pkey PRIMARY KEY (id),
  constraint log_state_epoch_check CHECK ((epoch >= 0)),
  constraint log_state_id_check CHECK ((id = 1)),
  constraint log_state_root_check CHECK ((length(root) = 32)),
  constraint log_state_size_check CHECK ((size >= 0))
);
comment on column log_state.epoch is 'raised by each sequencer that takes over; a flush of an older one changes nothing';
comment on column log_state.head is 'the newest signed head (a C2SP note); null before the first';
comment on column log_state.updated_at is 'of the newest flush or sign of life of the sequencer';
comment on column log_state.address is 'where the sequencer of this epoch takes the leaves of other servers; written with the epoch';
comment on column log_state.refused is 'the error code with which the sequencer refused to write; no change that needs a leaf is made while it stands';

create table log_tile (
  level smallint not null,
  index bigint not null,
  hashes bytea not null,
  constraint log_tile_pkey PRIMARY KEY (level, index),
  constraint log_tile_hashes_check CHECK ((length(hashes) = (256 * 32))),
  constraint log_tile_index_check CHECK ((index >= 0)),
  constraint log_tile_level_check CHECK ((level >= 0))
);
comment on table log_tile is '256 nodes of tree level 8 x level, once all of them are complete';

create table lookup_index (
  dataset text not null,
  version integer not null,
  keyed_by text not null,
  key_columns text[] not null,
  salt integer not null,
  slots_digest text not null,
  slots_bytes bigint not null,
  records_digest text not null,
  records_bytes bigint not null,
  rows bigint not null,
  built_at timestamp(3) with time zone not null default now(),
  constraint lookup_index_pkey PRIMARY KEY (dataset, version, keyed_by),
  constraint lookup_index_dataset_version_fkey FOREIGN KEY (dataset, version) REFERENCES version(dataset, number) ON DELETE CASCADE,
  constraint lookup_index_keyed_by_check CHECK ((keyed_by ~ '^[0-9a-f]{64}$'::text)),
  constraint lookup_index_records_digest_check CHECK ((records_digest ~ '^[0-9a-f]{64}$'::text)),
  constraint lookup_index_slots_digest_check CHECK ((slots_digest ~ '^[0-9a-f]{64}$'::text))
);
CREATE INDEX lookup_index_records ON public.lookup_index USING btree (records_digest);
CREATE INDEX lookup_index_slots ON public.lookup_index USING btree (slots_digest);
comment on column lookup_index.keyed_by is 'names the key of the hashes: with another subject key another index is made';
comment on column lookup_index.salt is 'of the hashes; above 0 where two keys of the version could not be told apart';

create table metering (
  day date not null,
  dataset text not null,
  department text not null,
  "grant" text not null,
  matter text not null,
  reads bigint not null,
  rows bigint not null,
  bytes bigint not null,
  lookups bigint not null,
  refusals bigint not null,
  constraint metering_pkey PRIMARY KEY (day, dataset, department, "grant", matter)
);
CREATE INDEX metering_dataset ON public.metering USING btree (dataset, day);
CREATE INDEX metering_department ON public.metering USING btree (department, day);
comment on column metering.day is 'of the leaf''s time, in Asia/Shanghai';
comment on column metering.dataset is '(unknown) where what was asked for does not exist';
comment on column metering.department is 'on whose behalf; empty where nobody''s, as are grant and matter';

create table oidc_sign_in (
  state_hash bytea not null,
  verifier text not null,
  nonce text not null,
  redirect_uri text not null,
  expires_at timestamp(3) with time zone not null,
  constraint oidc_sign_in_pkey PRIMARY KEY (state_hash)
);

create table part_tags (
  digest text not null,
  chunk_bytes integer not null,
  key bytea not null,
  tags bytea not null,
  constraint part_tags_pkey PRIMARY KEY (digest),
  constraint part_tags_chunk_bytes_check CHECK ((chunk_bytes > 0)),
  constraint part_tags_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text)),
  constraint part_tags_key_check CHECK ((length(key) = 32)),
  constraint part_tags_tags_check CHECK (((length(tags) % 16) = 0))
);
comment on table part_tags is 'derived from the parts: a row that is gone is made again when its part is read';
comment on column part_tags.key is 'random, of this part alone; whoever reads it can make tags that fit other bytes';

create table person (
  id uuid not null,
  department text not null,
  login text not null,
  name text not null,
  roles text[] not null,
  password_hash text,
  password_temporary boolean not null default false,
  issuer text,
  issuer_subject text,
  failures integer not null default 0,
  locked_until timestamp(3) with time zone,
  created_at timestamp(3) with time zone not null default now(),
  disabled_at timestamp(3) with time zone,
  constraint person_pkey PRIMARY KEY (id),
  constraint person_check CHECK (((issuer IS NULL) = (issuer_subject IS NULL))),
  constraint person_login_check CHECK ((login ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'::text)),
  constraint person_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
  constraint person_roles_check CHECK ((cardinality(roles) > 0))
);
CREATE UNIQUE INDEX person_issuer ON public.person USING btree (issuer, issuer_subject);
CREATE UNIQUE INDEX person_login ON public.person USING btree (login);

create table projection (
  key text not null,
  manifest_digest text not null,
  policy_digest text,
  format text not null,
  arrow_schema text not null,
  rows bigint not null,
  built_at timestamp(3) with time zone not null default now(),
  used_at timestamp(3) with time zone not null default now(),
  constraint projection_pkey PRIMARY KEY (key),
  constraint projection_format_check CHECK ((format = ANY (ARRAY['arrow'::text, 'parquet'::text]))),
  constraint projection_key_check CHECK ((key ~ '^[0-9a-f]{64}$'::text)),
  constraint projection_rows_check CHECK ((rows >= 0))
);
CREATE INDEX projection_manifest ON public.projection USING btree (manifest_digest);
CREATE INDEX projection_policy ON public.projection USING btree (policy_digest);
CREATE INDEX projection_used ON public.projection USING btree (used_at);
comment on table projection is 'a version as a policy shows it, or in another format: derived, and made again when it is gone';
comment on column projection.key is 'SHA-256 over version manifest, policy, columns and format';

create table projection_build (
  key text not null,
  builder uuid not null,
  expires_at timestamp(3) with time zone not null,
  constraint projection_build_pkey PRIMARY KEY (key)
);
comment on table projection_build is 'who is making a projection or an index now; the lease runs out where the process died';

create table projection_part (
  projection text not null,
  "position" integer not null,
  digest text not null,
  size_bytes bigint not null,
  rows bigint not null,
  constraint projection_part_pkey PRIMARY KEY (projection, "position"),
  constraint projection_part_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text)),
  constraint projection_part_projection_fkey FOREIGN KEY (projection) REFERENCES projection(key) ON DELETE CASCADE
);
CREATE INDEX projection_part_digest ON public.projection_part USING btree (digest);

create table quarantine_part (
  run uuid not null,
  "position" integer not null,
  dataset text not null,
  digest text not null,
  size_bytes bigint not null,
  rows bigint not null,
  expires_at timestamp(3) with time zone not null,
  constraint quarantine_part_pkey PRIMARY KEY (run, "position"),
  constraint quarantine_part_dataset_fkey FOREIGN KEY (dataset) REFERENCES dataset(code),
  constraint quarantine_part_run_fkey FOREIGN KEY (run) REFERENCES run(id)
);
CREATE INDEX quarantine_part_digest ON public.quarantine_part USING btree (digest);
CREATE INDEX quarantine_part_expiry ON public.quarantine_part USING btree (expires_at);

create table rating (
  id uuid not null,
  dataset text not null,
  version integer not null,
  "grant" text not null,
  department text not null,
  stars smallint not null,
  reasons text not null,
  person text not null,
  created_at timestamp(3) with time zone not null,
  constraint rating_pkey PRIMARY KEY (id),
  constraint rating_dataset_version_fkey FOREIGN KEY (dataset, version) REFERENCES version(dataset, number),
  constraint rating_dataset_version_grant_department_key UNIQUE (dataset, version, "grant", department),
  constraint rating_stars_check CHECK (((stars >= 1) AND (stars <= 5)))
);
comment on column rating."grant" is 'an explicit grant''s id, or implicit:unconditional';

create table request (
  id uuid not null,
  department text not null,
  dataset text not null,
  provider text not null,
  supervisor text not null,
  state text not null,
  sequence integer not null default 0,
  sharing_class text not null,
  requesters text[] not null,
  info_asked boolean not null default false,
  extension text not null default 'none'::text,
  asked_in text,
  asked jsonb not null,
  decision jsonb,
  refusal jsonb,
  "grant" uuid,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  constraint request_pkey PRIMARY KEY (id),
  constraint request_check CHECK (((state = 'NEEDS_INFO'::text) = (asked_in IS NOT NULL))),
  constraint request_dataset_fkey FOREIGN KEY (dataset) REFERENCES dataset(code),
  constraint request_department_fkey FOREIGN KEY (department) REFERENCES department(code),
  constraint request_extension_check CHECK ((extension = ANY (ARRAY['none'::text, 'asked'::text, 'given'::text, 'denied'::text]))),
  constraint request_grant_fkey FOREIGN KEY ("grant") REFERENCES access_grant(id),
  constraint request_provider_fkey FOREIGN KEY (provider) REFERENCES department(code),
  constraint request_requesters_check CHECK ((cardinality(requesters) > 0)),
  constraint request_sequence_check CHECK ((sequence >= 0)),
  constraint request_sharing_class_check CHECK ((sharing_class = ANY (ARRAY['unconditional'::text, 'conditional'::text, 'not-shared'::text])))
);
CREATE INDEX request_dataset ON public.request USING btree (dataset, id DESC);
CREATE INDEX request_department ON public.request USING btree (department, id DESC);
CREATE INDEX request_provider ON public.request USING btree (provider, id DESC);
comment on column request.requesters is 'keyed hashes of all who drafted it or spoke for it: none of them decides it';
comment on column request.asked is 'what the requester wants: schemas/api/request-terms.json';
comment on column request.decision is 'what was approved: schemas/api/request-decision.json';

create table request_duty (
  request uuid not null,
  sequence integer not null,
  duty text not null,
  party text not null,
  department text,
  began_at timestamp(3) with time zone not null,
  counted_from timestamp(3) with time zone not null,
  deadline timestamp(3) with time zone not null,
  provisional boolean not null,
  policy_version text not null,
  reminders_due timestamp(3) with time zone[] not null,
  reminders_sent integer not null default 0,
  overdue_at timestamp(3) with time zone,
  ended_at timestamp(3) with time zone,
  constraint request_duty_pkey PRIMARY KEY (request, sequence),
  constraint request_duty_request_fkey FOREIGN KEY (request) REFERENCES request(id),
  constraint request_duty_request_sequence_fkey FOREIGN KEY (request, sequence) REFERENCES request_event(request, sequence) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX request_duty_department ON public.request_duty USING btree (department, deadline) WHERE (ended_at IS NULL);
CREATE UNIQUE INDEX request_duty_open ON public.request_duty USING btree (request) WHERE (ended_at IS NULL);
comment on column request_duty.sequence is 'of the step that began it';
comment on column request_duty.department is 'whose duty it is; null: the exchange''s own';
comment on column request_duty.counted_from is 'the day after is the first that counts; an extension counts from the deadline before it';

create table request_event (
  request uuid not null,
  sequence integer not null,
  id uuid not null,
  action text not null,
  from_state text,
  to_state text not null,
  party text not null,
  actor text not null,
  person text,
  department text,
  reason text,
  basis jsonb,
  detail jsonb,
  policy_version text,
  deadline timestamp(3) with time zone,
  provisional boolean,
  at timestamp(3) with time zone not null,
  recorded_at timestamp(3) with time zone not null default now(),
  constraint request_event_pkey PRIMARY KEY (request, sequence),
  constraint request_event_id_key UNIQUE (id),
  constraint request_event_request_fkey FOREIGN KEY (request) REFERENCES request(id),
  constraint request_event_sequence_check CHECK ((sequence >= 0))
);
comment on column request_event.id is 'its sender''s: a step that arrives twice happens once';
comment on column request_event.at is 'when it was done, by the clock of the request''s workflow';

create table run (
  id uuid not null,
  dataset text not null,
  workflow_id text not null,
  trigger text not null,
  actor text not null,
  confirmed boolean not null,
  epoch bigint not null,
  generation integer not null default 0,
  contract_version text,
  trusted boolean not null default false,
  rechecked_report text,
  state text not null default 'running'::text,
  report_digest text,
  version integer,
  failure_code text,
  failure_message text,
  rows_read bigint,
  rows_published bigint,
  rows_quarantined bigint,
  quarantined_by_code jsonb,
  started_at timestamp(3) with time zone not null default now(),
  ended_at timestamp(3) with time zone,
  extract_attempt integer not null default 0,
  base_version integer,
  basis text,
  reading jsonb,
  mode text,
  changes jsonb,
  "position" text,
  regardless boolean not null default false,
  admitted_at timestamp(3) with time zone,
  connections integer,
  waiting_for text,
  waiting_until timestamp(3) with time zone,
  constraint run_pkey PRIMARY KEY (id),
  constraint run_check CHECK (((state = 'running'::text) = (ended_at IS NULL))),
  constraint run_check1 CHECK ((rows_read = (rows_published + rows_quarantined))),
  constraint run_check2 CHECK (((waiting_for IS NULL) = (waiting_until IS NULL))),
  constraint run_check3 CHECK (((connections IS NULL) OR (admitted_at IS NOT NULL))),
  constraint run_connections_check CHECK ((connections >= 2)),
  constraint run_dataset_epoch_key UNIQUE (dataset, epoch),
  constraint run_dataset_fkey FOREIGN KEY (dataset) REFERENCES dataset(code),
  constraint run_generation_check CHECK ((generation >= 0)),
  constraint run_mode_check CHECK ((mode = ANY (ARRAY['append'::text, 'upsert'::text, 'changes'::text]))),
  constraint run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'published'::text, 'unchanged'::text, 'rejected'::text, 'failed'::text, 'cancelled'::text]))),
  constraint run_trigger_check CHECK ((trigger = ANY (ARRAY['manual'::text, 'schedule'::text]))),
  constraint run_version FOREIGN KEY (dataset, version) REFERENCES version(dataset, number),
  constraint run_waiting_for_check CHECK ((waiting_for = ANY (ARRAY['window'::text, 'connections'::text])))
);
CREATE INDEX run_drift ON public.run USING btree (dataset, ended_at) WHERE (failure_code = ANY (ARRAY['SCHEMA_DRIFT'::text, 'TABLE_NOT_FOUND'::text, 'COLUMN_NOT_FOUND'::text, 'TYPE_UNMAPPED'::text, 'CONTRACT_MISMATCH'::text]));
CREATE INDEX run_of_dataset ON public.run USING btree (dataset, started_at DESC, id DESC);
CREATE INDEX run_recent ON public.run USING btree (started_at DESC, id DESC);
CREATE INDEX run_running ON public.run USING btree (dataset) WHERE (state = 'running'::text);
comment on column run.id is 'the workflow''s run id';
comment on column run.confirmed is 'whoever started it knows that the version may be empty or lose half its rows';
comment on column run.trusted is 'the worker of this generation is the exchange''s own: no second contract check';
comment on column run.rechecked_report is 'the report whose parts passed the second contract check';
comment on column run.rows_published is 'rows that kept the contract, also where the run was rejected afterwards';
comment on column run.extract_attempt is 'the attempt of the activity that opened the generation; an older one opens none';
comment on column run.base_version is 'the current version when the run began: an increment built on another is fenced';
comment on column run.basis is 'digest of what an increment depends on; another one than the last makes it a full refresh';
comment on column run.reading is 'what was asked for: full, or the range from..to of a backfill';
comment on column run.changes is 'what an increment changed, as in its manifest; null for a snapshot';

create table run_upload (
  run uuid not null,
  source text not null,
  name text not null,
  digest text not null,
  size_bytes bigint not null,
  constraint run_upload_pkey PRIMARY KEY (run, name),
  constraint run_upload_run_fkey FOREIGN KEY (run) REFERENCES run(id),
  constraint run_upload_source_fkey FOREIGN KEY (source) REFERENCES source(code)
);
CREATE INDEX run_upload_digest ON public.run_upload USING btree (digest);
comment on table run_upload is 'pinned by a run''s first generation and read by all of them; forgotten when the run has ended: its report tells what it read';

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

create table source_upload (
  id uuid not null,
  source text not null,
  name text not null,
  digest text not null,
  size_bytes bigint not null,
  uploaded_by text not null,
  uploaded_at timestamp(3) with time zone not null default now(),
  state text not null default 'current'::text,
  ended_at timestamp(3) with time zone,
  constraint source_upload_pkey PRIMARY KEY (id),
  constraint source_upload_check CHECK (((state = 'current'::text) = (ended_at IS NULL))),
  constraint source_upload_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text)),
  constraint source_upload_size_bytes_check CHECK ((size_bytes >= 0)),
  constraint source_upload_source_fkey FOREIGN KEY (source) REFERENCES source(code),
  constraint source_upload_state_check CHECK ((state = ANY (ARRAY['current'::text, 'replaced'::text, 'removed'::text])))
);
CREATE UNIQUE INDEX source_upload_current ON public.source_upload USING btree (source, name) WHERE (state = 'current'::text);
CREATE INDEX source_upload_digest ON public.source_upload USING btree (digest) WHERE (state = 'current'::text);
CREATE INDEX source_upload_recent ON public.source_upload USING btree (source, id DESC);
comment on table source_upload is 'one row a file that arrived; the object of one that is not current is collected once no run reads it';

create table staged_object (
  run uuid not null,
  generation integer not null,
  digest text not null,
  kind text not null,
  size_bytes bigint not null,
  kept boolean not null default false,
  staged_at timestamp(3) with time zone not null default now(),
  constraint staged_object_pkey PRIMARY KEY (run, generation, digest),
  constraint staged_object_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text)),
  constraint staged_object_kind_check CHECK ((kind = ANY (ARRAY['part'::text, 'quarantine'::text, 'report'::text, 'manifest'::text]))),
  constraint staged_object_run_fkey FOREIGN KEY (run) REFERENCES run(id),
  constraint staged_object_size_bytes_check CHECK ((size_bytes >= 0))
);
CREATE INDEX staged_object_digest ON public.staged_object USING btree (digest);
comment on column staged_object.kept is 'the run ended and refers to it; the rest of an ended run is collected';

create table subject_access (
  subject_hash bytea not null,
  index bigint not null,
  at timestamp(3) with time zone not null,
  constraint subject_access_pkey PRIMARY KEY (subject_hash, index),
  constraint subject_access_subject_hash_check CHECK ((length(subject_hash) = 32))
);
CREATE INDEX subject_access_at ON public.subject_access USING btree (at);
comment on table subject_access is 'leaves of look-ups by the keyed hash of the key that was looked up; the leaf itself says the rest';

create table version (
  dataset text not null,
  number integer not null,
  run uuid not null,
  manifest_digest text not null,
  contract_version text not null,
  contract_digest text not null,
  guarantee text not null,
  snapshot_at timestamp(3) with time zone not null,
  rows bigint not null,
  bytes bigint not null,
  parts integer not null,
  rows_read bigint not null,
  rows_quarantined bigint not null,
  published_at timestamp(3) with time zone not null default now(),
  mode text,
  changes jsonb,
  rows_published bigint,
  expired_at timestamp(3) with time zone,
  expired_by jsonb,
  constraint version_pkey PRIMARY KEY (dataset, number),
  constraint version_bytes_check CHECK ((bytes >= 0)),
  constraint version_check CHECK (((expired_at IS NULL) = (expired_by IS NULL))),
  constraint version_dataset_contract_version_fkey FOREIGN KEY (dataset, contract_version) REFERENCES contract(dataset, version),
  constraint version_dataset_fkey FOREIGN KEY (dataset) REFERENCES dataset(code),
  constraint version_guarantee_check CHECK ((guarantee = ANY (ARRAY['snapshot'::text, 'transaction'::text, 'none'::text]))),
  constraint version_manifest_digest_check CHECK ((manifest_digest ~ '^[0-9a-f]{64}$'::text)),
  constraint version_mode_check CHECK ((mode = ANY (ARRAY['append'::text, 'upsert'::text, 'changes'::text]))),
  constraint version_number_check CHECK ((number >= 1)),
  constraint version_parts_check CHECK ((parts >= 0)),
  constraint version_rows_check CHECK ((rows >= 0)),
  constraint version_run_fkey FOREIGN KEY (run) REFERENCES run(id),
  constraint version_run_key UNIQUE (run)
);
CREATE INDEX version_expired ON public.version USING btree (manifest_digest) WHERE (expired_at IS NOT NULL);
CREATE INDEX version_living ON public.version USING btree (dataset, number) WHERE (expired_at IS NULL);
comment on table version is 'immutable but for its expiry; exists when its row does, which stays when its objects are gone';
comment on column version.rows_published is 'rows read that kept the contract, where that is not the version''s rows';
comment on column version.expired_by is 'the rule that held then: versionsMin, versionDays';

create table version_hold (
  dataset text not null,
  version integer not null,
  until timestamp(3) with time zone not null,
  reason text not null,
  actor text not null,
  placed_at timestamp(3) with time zone not null,
  constraint version_hold_pkey PRIMARY KEY (dataset, version),
  constraint version_hold_dataset_version_fkey FOREIGN KEY (dataset, version) REFERENCES version(dataset, number)
);
comment on table version_hold is 'a version that does not expire before a time, whatever the rule; what was held before, the audit log tells';

create table version_recall (
  dataset text not null,
  version integer not null,
  reason text not null,
  actor text not null,
  person text not null,
  recalled_at timestamp(3) with time zone not null,
  constraint version_recall_pkey PRIMARY KEY (dataset, version),
  constraint version_recall_dataset_version_fkey FOREIGN KEY (dataset, version) REFERENCES version(dataset, number)
);
comment on table version_recall is 'not served any more, also where it is the current version: nothing takes its place silently';

CREATE OR REPLACE FUNCTION public.access_grant_is_immutable()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
  begin
    if (old.id, old.grantee, old.dataset, old.provider, old.terms, old.policy_digest, old.not_before, old.expires_at,
        old.request, old.created_by, old.created_at)
      is distinct from (new.id, new.grantee, new.dataset, new.provider, new.terms, new.policy_digest, new.not_before,
        new.expires_at, new.request, new.created_by, new.created_at)
    then
      raise exception 'the terms of a grant never change: make a new grant';
    end if;
    if old.state in ('revoked', 'expired') and new.state <> old.state then
      raise exception 'a grant that has ended stays ended';
    end if;
    return new;
  end $function$
;
CREATE TRIGGER access_grant_immutable BEFORE UPDATE ON public.access_grant FOR EACH ROW EXECUTE FUNCTION access_grant_is_immutable();
