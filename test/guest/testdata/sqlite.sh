# SQLite with a rollback journal: two processes, several transactions each, on one database.
. ./lib.sh
cd "$HOME"

sqlite3 db 'pragma journal_mode=delete; create table t(who text, n integer, data blob);' >"$TMP/sqlite.mode"
same "the journal" "$(cat "$TMP/sqlite.mode")" delete
transactions() {
	for n in 1 2 3 4 5; do
		echo "begin immediate; with recursive c(i) as (select 1 union all select i+1 from c where i<20)
			insert into t select '$1', $n, randomblob(1000) from c; commit;"
	done | sqlite3 -cmd '.timeout 60000' -bail db
}
transactions a &
a=$!
transactions b
wait $a || fail "one of two processes could not write"
same "a transaction that was rolled back" "$(sqlite3 db 'begin; delete from t; rollback; select count(*) from t;')" 200
same "the rows of each" "$(sqlite3 db 'select who, count(*), count(distinct n) from t group by who order by who;')" "a|100|5
b|100|5"
sqlite3 db 'create index i on t(data); vacuum;'
same "the integrity" "$(sqlite3 db 'pragma integrity_check;')" ok
[ ! -e db-journal ] || fail "a journal is left"
