insert into ends (id) values (2);
insert into partials values (2, 3, 4);
insert into partial_only values (2, 3);
insert into expressions values (2, 'Y');
update toasts set v = 2;
insert into prices values (4, 2.5, 3.49), (5, -2.5, 0.5), (6, 1234.99, -0.5);
