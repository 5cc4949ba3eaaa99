// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/store"
)

// recovery is the store's client records as the server wants them: neither package knows the other.
type recovery struct{ *store.ClientRecords }

// Load returns the records that were kept when the server ended.
func (r recovery) Load() ([]nfsserver.ClientRecord, error) {
	kept, err := r.ClientRecords.Load()
	if err != nil {
		return nil, err
	}
	records := make([]nfsserver.ClientRecord, len(kept))
	for i, k := range kept {
		records[i] = nfsserver.ClientRecord(k)
	}
	return records, nil
}
