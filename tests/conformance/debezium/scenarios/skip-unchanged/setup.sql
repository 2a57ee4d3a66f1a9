create table accounts (id int primary key, owner text not null, balance numeric(12,2) not null default 0);
create table ledger (id serial primary key, account int, amount numeric(12,2), at timestamp default '2026-01-01');
insert into accounts values (1, 'ann', 100), (2, 'bob', 50);alter table accounts replica identity full;