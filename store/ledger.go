// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// The names of what is kept of the ledger, in ledgerDir.
const (
	ledgerDir  = "ledger"
	ledgerFile = "ledger"
)

// ledgerFormat is the version of what is in ledgerDir.
const ledgerFormat = 1

// maxLedger is the longest ledger that is read, in bytes: room for millions of homes.
const maxLedger = 1 << 30

// keeper is the store as its ledger wants it.
type keeper struct{ s *Store }

// Mark makes durable that a home is being changed.
func (k keeper) Mark(home vfs.HomeID) (uint64, error) { return k.s.ledger.journal.mark(home) }

// Find lists the hubs again.
func (k keeper) Find(ctx context.Context) error { return k.s.relist(ctx) }

// Now is the time.
func (keeper) Now() time.Time { return time.Now() }

// ledger keeps a quota.Ledger on the disk.
type ledger struct {
	store *Store
	dir   int
	// journal is nil, and dir may be -1, while the disk is too full to make them: then nothing is persisted, and every start
	// counts all homes.
	journal *journal

	mu         sync.Mutex // one checkpoint at a time
	generation uint64     // of the ledger on the disk, or of the last try to persist it
	pending    bool       // that try has failed
	files      []quota.Resting
}

// LedgerError says that what is kept of the ledger cannot be used. Nothing is wrong with the homes.
type LedgerError struct {
	File string
	Err  error
}

// Error says what is wrong and what to do.
func (e *LedgerError) Error() string {
	return fmt.Sprintf("%s: %v: the homes are not touched by it; with hubhome store check --rebuild they are all counted anew", e.File, e.Err)
}

// Unwrap returns what is wrong.
func (e *LedgerError) Unwrap() error { return e.Err }

// The lines of a ledger's file: one header, one for each home, one for each file whose charge may change by itself, and the
// SHA-256 of all before it.
type (
	headerLine struct {
		Format     int    `json:"format"`
		Generation uint64 `json:"generation"`
	}
	homeLine struct {
		Hub        vfs.HomeID `json:"hub"`
		Home       vfs.HomeID `json:"home"`
		Birth      int64      `json:"birth"`
		Bytes      int64      `json:"bytes"`
		Inodes     int64      `json:"inodes"`
		PastBytes  int64      `json:"pastBytes,omitempty"`
		PastInodes int64      `json:"pastInodes,omitempty"`
		Written    int64      `json:"written,omitempty"`
		Dirty      bool       `json:"dirty,omitempty"`
	}
	fileLine struct {
		File    []byte     `json:"file"`
		Home    vfs.HomeID `json:"home"`
		Number  uint64     `json:"number"`
		Birth   int64      `json:"birth"`
		Charged int64      `json:"charged"`
	}
	sumLine struct {
		SHA256 string `json:"sha256"`
	}
)

// openLedger reads what is kept, and gives it to the ledger. rebuild: what is kept is put aside.
func openLedger(s *Store, rebuild bool) (_ *ledger, err error) {
	l := &ledger{store: s}
	switch l.dir, err = s.directory(s.own, ledgerDir, 0o700); {
	case noRoom(err):
		return l, nil
	case err != nil:
		return nil, explainWrite(err)
	}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if rebuild {
		if err := l.remove(); err != nil {
			return nil, fmt.Errorf("remove the ledger: %w", err)
		}
	}
	generation, records, err := l.read()
	if err != nil {
		return nil, &LedgerError{File: ownDir + "/" + ledgerDir + "/" + ledgerFile, Err: err}
	}
	marked, all, err := l.openJournal(generation)
	if err != nil {
		return nil, err
	}
	for i := range records {
		records[i].Dirty = records[i].Dirty || all || marked[records[i].Home]
	}
	if l.journal == nil {
		generation = 0 // there is no ledger any more, and nothing to mark homes in
	}
	l.generation = generation
	s.quota.Load(generation, records)
	return l, nil
}

// openJournal opens the journal and reads the marks of a generation.
func (l *ledger) openJournal(generation uint64) (marked map[vfs.HomeID]bool, all bool, err error) {
	made := false
	l.journal, made, err = openJournal(l.store.disk, l.dir, l.remove)
	switch {
	case noRoom(err):
		// Nothing can be persisted: then nothing may be believed by the next start either.
		if err := l.remove(); err != nil {
			return nil, false, fmt.Errorf("remove the ledger: %w", err)
		}
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("%s/%s: %w", ownDir, ledgerDir, err)
	}
	marked, all, err = l.journal.load(generation)
	return marked, all || made, err
}

// remove removes the ledger from the disk. No home is believed then.
func (l *ledger) remove() error {
	if err := l.store.disk.Unlink(l.dir, ledgerFile, 0); err != nil && err != syscall.ENOENT {
		return err
	}
	return l.store.disk.Sync(l.dir)
}

func (l *ledger) close() {
	if l.journal != nil {
		l.journal.close()
	}
	if l.dir >= 0 {
		disk.Close(l.dir)
	}
	l.dir = -1
}

// read reads the ledger. Generation 0: there is none.
func (l *ledger) read() (generation uint64, records []quota.Record, err error) {
	data, err := l.store.disk.ReadFile(l.dir, ledgerFile, maxLedger)
	if err == syscall.ENOENT {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	generation, records, l.files, err = parseLedger(data)
	return generation, records, err
}

// parseLedger reads a ledger's file. The format comes first: a newer one may do everything else in another way.
func parseLedger(data []byte) (generation uint64, records []quota.Record, files []quota.Resting, err error) {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	var header headerLine
	switch err := json.Unmarshal(first, &header); {
	case err != nil || header.Format < 1:
		return 0, nil, nil, errors.New("it is damaged: it does not begin as a ledger")
	case header.Format > ledgerFormat:
		return 0, nil, nil, fmt.Errorf("it has format %d, and this hubhome knows %d: use a newer hubhome", header.Format, ledgerFormat)
	case header.Generation == 0:
		return 0, nil, nil, errors.New("it is damaged: it has no generation")
	}
	body := bytes.TrimSuffix(data, []byte("\n"))
	end := bytes.LastIndexByte(body, '\n') + 1
	var sum sumLine
	if json.Unmarshal(body[end:], &sum) != nil || len(body) == len(data) {
		return 0, nil, nil, errors.New("it is damaged: its end is missing")
	}
	if is := sha256.Sum256(data[:end]); hex.EncodeToString(is[:]) != sum.SHA256 {
		return 0, nil, nil, errors.New("it is damaged: it is not what was written")
	}
	for line := range bytes.Lines(rest[:max(0, len(rest)-(len(data)-end))]) {
		var l struct {
			homeLine
			File    []byte `json:"file"`
			Number  uint64 `json:"number"`
			Charged int64  `json:"charged"`
		}
		if err := json.Unmarshal(line, &l); err != nil {
			return 0, nil, nil, fmt.Errorf("it is damaged: %w", err)
		}
		if l.File != nil {
			files = append(files, quota.Resting{Home: l.Home, Handle: vfs.Handle(l.File), Number: l.Number, Birth: l.Birth, Charged: l.Charged})
			continue
		}
		records = append(records, quota.Record{
			Hub: l.Hub, Home: l.Home, Birth: l.Birth, Used: quota.Usage{Bytes: l.Bytes, Inodes: l.Inodes},
			Past: quota.Usage{Bytes: l.PastBytes, Inodes: l.PastInodes}, Written: l.Written, Dirty: l.Dirty,
		})
	}
	return header.Generation, records, files, nil
}

// formatLedger writes a ledger's file.
func formatLedger(generation uint64, records []quota.Record, files []quota.Resting) ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b) // which ends each with a line break
	if err := out.Encode(headerLine{ledgerFormat, generation}); err != nil {
		return nil, err
	}
	for _, r := range records {
		if err := out.Encode(homeLine{
			Hub: r.Hub, Home: r.Home, Birth: r.Birth, Bytes: r.Used.Bytes, Inodes: r.Used.Inodes,
			PastBytes: r.Past.Bytes, PastInodes: r.Past.Inodes, Written: r.Written, Dirty: r.Dirty,
		}); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		if err := out.Encode(fileLine{[]byte(f.Handle), f.Home, f.Number, f.Birth, f.Charged}); err != nil {
			return nil, err
		}
	}
	sum := sha256.Sum256(b.Bytes())
	err := out.Encode(sumLine{hex.EncodeToString(sum[:])})
	return b.Bytes(), err
}

// checkpoint persists the ledger. last: nothing is served any more.
func (l *ledger) checkpoint(last bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal == nil {
		if l.dir < 0 {
			dir, err := l.store.directory(l.store.own, ledgerDir, 0o700)
			if err != nil {
				return err
			}
			l.dir = dir
		}
		if _, _, err := l.openJournal(0); err != nil {
			return err
		}
		if l.journal == nil {
			return fmt.Errorf("persist the ledger: %w", syscall.ENOSPC)
		}
	}
	if !l.pending {
		l.generation++
		l.pending = true
	}
	l.journal.begin(l.generation)
	records, files := l.store.quota.Snapshot(l.generation, last)
	if l.files != nil { // the hubs were never made known
		files = l.files
	}
	data, err := formatLedger(l.generation, records, files)
	if err == nil {
		err = l.store.disk.WriteFile(l.dir, ledgerFile, data, 0o600)
	}
	l.journal.end(err)
	if err != nil {
		return fmt.Errorf("persist the ledger: %w", err)
	}
	l.pending = false
	return nil
}
