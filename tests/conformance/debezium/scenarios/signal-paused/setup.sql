create table signals (id varchar(64) primary key, type varchar(32) not null, data text);
create table s1 (a int, b text, v text, primary key (a, b)); create table s2 (n int, v text); alter table s2 replica identity full;
create table s3 (id uuid primary key, at timestamptz, v text); create table s4 (at timestamp(3) primary key, v text); create table s5 (k numeric(10,2) primary key, v text); create table s6 (k varchar(10) primary key, d date);
create table s7 (id int primary key, v text); create table s8 (id int primary key, v text);
insert into s1 select g / 3, 'b' || g, 'v' || g from generate_series(1, 7) g; insert into s2 select g, 'n' || g from generate_series(1, 4) g;
insert into s3 select ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a0' || g)::uuid, '2026-01-01 00:00+00'::timestamptz + g * interval '1 day', 'u' || g from generate_series(1, 5) g;
insert into s4 select '2026-01-01 00:00:00.123'::timestamp + g * interval '1 hour', 'u' || g from generate_series(1, 4) g;
insert into s5 select g * 1.25, 'u' || g from generate_series(1, 4) g; insert into s6 select 'it''s ' || g, '2026-01-01'::date + g from generate_series(1, 4) g;
insert into s7 select g, 'v' || g from generate_series(1, 5) g; insert into s8 values (1, 'a');
