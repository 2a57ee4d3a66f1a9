begin;
insert into accounts values (3, 'cy', 10);
update accounts set balance = balance - 20 where id = 1;
insert into ledger (account, amount) values (1, -20), (2, 20);
update accounts set id = 30 where id = 3;
commit;
insert into ledger (account, amount) values (30, 5);
begin; insert into ledger (account, amount) values (1, 7); delete from accounts where id = 1; commit;
