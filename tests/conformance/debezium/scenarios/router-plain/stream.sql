update ev_1 set v = 'c';
update ev_2 set id = 5;
delete from ev_2;
insert into ev_1 values (9, 'n');
insert into "Odd-3" values (1);
delete from other;
alter table ev_1 add column x int;
insert into ev_1 values (10, 'm', 3);
truncate ev_1;
