create table debezium_signal (id varchar(42) primary key, type varchar(32) not null, data varchar(2048));
create table stock (id int primary key, item text, qty int);
create table nokey (a int, b text);
create table pair (a int, b text, c int, primary key (b, a));
insert into stock select n, 'item ' || n, n * 10 from generate_series(1, 7) n;
insert into nokey select n, 'b' || n from generate_series(1, 4) n;
insert into pair select n % 3, 'b' || n, n from generate_series(1, 7) n;
