// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package remote

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
)

// Spoken are the versions of NFS that a server speaks, such as 3, 4.0 and 4.1.
type Spoken []string

// String lists them.
func (s Spoken) String() string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, ", ")
}

// Has tells whether a version is spoken; Auto stands for any that hubhome speaks.
func (s Spoken) Has(v Version) bool {
	return slices.ContainsFunc(v.candidates(), func(v Version) bool { return slices.Contains(s, v.String()) })
}

// Versions asks one address of a server, as HOST:PORT, which versions of NFS it speaks, without leaving anything there: a
// call that does nothing for 3 and 4, and for each minor version of 4 a COMPOUND that a server which has it answers
// otherwise than with NFS4ERR_MINOR_VERS_MISMATCH (RFC 8881 section 15.1.10.3). An error is an *Attempt.
func Versions(ctx context.Context, addr string) (Spoken, error) {
	spoken, err := askVersions(ctx, addr)
	if err != nil {
		return nil, &Attempt{Addr: addr, Trouble: troubleOf(err), Err: err}
	}
	return spoken, nil
}

func askVersions(ctx context.Context, addr string) (Spoken, error) {
	conn, err := oncrpc.Dialer{ReservedPort: true}.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var spoken Spoken
	three, err := knows(ctx, conn, nfs3.Version)
	if err != nil {
		return nil, err
	}
	if three {
		spoken = append(spoken, V3.String())
	}
	four, err := knows(ctx, conn, nfs4.Version)
	if err != nil {
		return nil, err
	}
	for minor, name := range [...]string{"4.0", V41.String(), V42.String()} {
		if !four {
			break
		}
		has, err := knowsMinor(ctx, conn, uint32(minor))
		if err != nil {
			return nil, err
		}
		if has {
			spoken = append(spoken, name)
		}
	}
	return spoken, nil
}

// knows makes the call that does nothing, in a version.
func knows(ctx context.Context, conn *oncrpc.Client, version uint32) (bool, error) {
	reply, err := conn.Call(ctx, nfs4.Program, version, nfs4.ProcNull, nil, func(*oncrpc.Encoder) {}, nil)
	if e, ok := errors.AsType[*oncrpc.ReplyError](err); ok {
		if _, _, mismatch := e.Versions(); mismatch {
			return false, nil
		}
	}
	if err != nil {
		return false, err
	}
	reply.Release()
	return true, nil
}

// knowsMinor sends a PUTROOTFH. In NFSv4.0 that is a request like any other; from 4.1 on it is refused for having no
// session, and nothing is made by it.
func knowsMinor(ctx context.Context, conn *oncrpc.Client, minor uint32) (bool, error) {
	cred := oncrpc.Cred{Flavor: oncrpc.AuthSys}
	reply, err := conn.Call(ctx, nfs4.Program, nfs4.Version, nfs4.ProcCompound, &cred, func(e *oncrpc.Encoder) {
		head := nfs4.CompoundArgs{MinorVersion: minor, Ops: 1}
		head.Encode(e)
		e.Uint32(uint32(nfs4.OpPutRootFH))
	}, nil)
	if err != nil {
		return false, err
	}
	defer reply.Release()
	var head nfs4.CompoundRes
	head.Decode(&reply.Decoder)
	return head.Status != nfs4.ErrMinorVersMismatch, reply.Err()
}
