create type mood as enum ('a', 'b');
create table one (id int primary key, a int, b text default 'x');
create table two (id int primary key, v varchar(10) not null, m mood);
create table nokey (a int, b int); alter table nokey replica identity full;
insert into one values (1, 1, 'one'); insert into two values (1, 'two', 'a'); insert into nokey values (1, 1);
