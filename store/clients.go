// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// ClientRecord is what is known of a client after a restart: who it was, and in which homes it held state.
type ClientRecord struct {
	Owner    []byte
	Verifier [8]byte
	Homes    []vfs.HomeID
}

// ClientRecords keeps one file for each client that holds state (RFC 8881 section 8.4.2.1). Its methods are durable when
// they return without error, and may be called concurrently, but for one client only one at a time.
type ClientRecords struct {
	store  *Store
	dir    int
	spares *spares

	mu      sync.Mutex
	records map[string]ClientRecord // by owner
	// unsure: owners whose file could not be written or removed to the end, and may say what it said before or not.
	unsure map[string]struct{}
}

// clientFile is a record on the disk.
type clientFile struct {
	Owner    []byte       `json:"owner"`
	Verifier []byte       `json:"verifier"`
	Homes    []vfs.HomeID `json:"homes"`
}

// maxClientFile is the longest record that is read, in bytes.
const (
	maxClientFile  = 16 << 20
	clientFileType = ".json"
)

func openClientRecords(s *Store) (*ClientRecords, error) {
	dir, err := s.directory(s.own, clientsDir, 0o700)
	if err != nil {
		return nil, err
	}
	r := &ClientRecords{store: s, dir: dir, records: map[string]ClientRecord{}, unsure: map[string]struct{}{}}
	if err := r.read(); err != nil {
		disk.Close(dir)
		return nil, fmt.Errorf("read client records: %w", err)
	}
	if r.spares, err = openSpares(s); err != nil {
		disk.Close(dir)
		return nil, fmt.Errorf("make room for client records on a full disk: %w", err)
	}
	return r, nil
}

// read reads all records. One that is damaged is put aside: its client cannot reclaim what it held, and that is better
// than nobody being served.
func (r *ClientRecords) read() error {
	var names []string
	_, err := r.store.disk.ReadDir(r.dir, 0, make([]byte, 32<<10), func(n *disk.Name) bool {
		if name := string(n.Name); strings.HasSuffix(name, clientFileType) {
			names = append(names, name)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := r.store.disk.ReadFile(r.dir, name, maxClientFile)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		record, err := parseClientFile(name, data)
		if err != nil {
			r.store.log.Error("a client's record is damaged: it is put aside, and the client cannot reclaim what it held",
				"file", ownDir+"/"+clientsDir+"/"+name, "error", err)
			if err := r.store.disk.Rename(r.dir, name, r.dir, name+".damaged", 0); err != nil {
				return fmt.Errorf("put %s aside: %w", name, err)
			}
			continue
		}
		r.records[string(record.Owner)] = record
	}
	return nil
}

func parseClientFile(name string, data []byte) (ClientRecord, error) {
	var file clientFile
	if err := json.Unmarshal(data, &file); err != nil {
		return ClientRecord{}, err
	}
	record := ClientRecord{Owner: file.Owner, Homes: file.Homes}
	if len(file.Verifier) != len(record.Verifier) || fileName(file.Owner) != name {
		return ClientRecord{}, fmt.Errorf("it does not say whose it is")
	}
	copy(record.Verifier[:], file.Verifier)
	return record, nil
}

// fileName is the name of a client's record: owners are bytes of any kind.
func fileName(owner []byte) string {
	sum := sha256.Sum256(owner)
	return hex.EncodeToString(sum[:16]) + clientFileType
}

// Load returns the records that were kept when the store was opened, and since.
func (r *ClientRecords) Load() ([]ClientRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]ClientRecord, 0, len(r.records))
	for _, record := range r.records {
		record.Homes = slices.Clone(record.Homes)
		all = append(all, record)
	}
	return all, nil
}

// Add records that a client is about to hold state in a home. What was recorded of the client with another verifier, of
// its life before it restarted, is replaced.
func (r *ClientRecords) Add(owner []byte, verifier [8]byte, home vfs.HomeID) error {
	r.mu.Lock()
	record, ok := r.records[string(owner)]
	r.mu.Unlock()
	var homes []vfs.HomeID
	if ok && record.Verifier == verifier {
		homes = slices.Clone(record.Homes)
	}
	if !slices.Contains(homes, home) {
		homes = append(homes, home)
	}
	return r.Replace(owner, verifier, homes)
}

// Replace makes a client's record say these homes and no others; none: the record is gone.
func (r *ClientRecords) Replace(owner []byte, verifier [8]byte, homes []vfs.HomeID) error {
	r.mu.Lock()
	record, ok := r.records[string(owner)]
	_, unsure := r.unsure[string(owner)]
	r.mu.Unlock()
	same := !ok && len(homes) == 0 || ok && record.Verifier == verifier && slices.Equal(record.Homes, homes)
	if same && !unsure {
		return nil
	}
	err := r.write(owner, verifier, homes)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.unsure[string(owner)] = struct{}{}
		return fmt.Errorf("keep a client's record: %w", err)
	}
	delete(r.unsure, string(owner))
	if len(homes) == 0 {
		delete(r.records, string(owner))
		return nil
	}
	r.records[string(owner)] = ClientRecord{Owner: slices.Clone(owner), Verifier: verifier, Homes: slices.Clone(homes)}
	return nil
}

func (r *ClientRecords) write(owner []byte, verifier [8]byte, homes []vfs.HomeID) error {
	d, name := r.store.disk, fileName(owner)
	if len(homes) == 0 {
		if err := d.Unlink(r.dir, name, 0); err != nil && err != syscall.ENOENT {
			return err
		}
		return d.Sync(r.dir)
	}
	data, err := json.Marshal(clientFile{Owner: owner, Verifier: verifier[:], Homes: homes})
	if err != nil {
		return err
	}
	data = append(data, '\n')
	err = d.WriteFile(r.dir, name, data, 0o600)
	if noRoom(err) {
		return r.spares.writeFile(r.dir, name, data)
	}
	if err == nil {
		// What could not be made now is made some other time.
		if err := r.spares.refill(); err != nil {
			r.store.log.Warn("make room for client records on a full disk", "error", err)
		}
	}
	return err
}
