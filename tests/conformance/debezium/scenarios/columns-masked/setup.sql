create extension citext; create type mood as enum ('sad','happy'); create domain name_d as varchar(20);
create table c (id int primary key, a text, b varchar(8), c char(5), d citext, e mood, j jsonb, n int, u uuid, arr text[], dom name_d, ba bytea, x xml, num numeric(6,2), ts timestamp, nn text not null default 'dflt');
create table k (id text primary key, s text, t varchar(12));
insert into c values (1, 'hello wörld', 'abcdefgh', 'ch', 'CiText', 'happy', '{"a":1}', 5, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{abc,def}', 'domain', '\xdead', '<a/>', 1.5, '2026-01-01', 'nn'), (2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 'x');
insert into k values ('key1', 'ß😀é', 'tt');
