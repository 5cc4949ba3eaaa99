// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import (
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/xdrtest"
)

// messages are the arguments and results of the three protocols.
var messages = xdrtest.Messages{
	"AccessArgs":      func() xdrtest.Message { return new(AccessArgs) },
	"AccessRes":       func() xdrtest.Message { return new(AccessRes) },
	"CommitRes":       func() xdrtest.Message { return new(CommitRes) },
	"CreateArgs":      func() xdrtest.Message { return new(CreateArgs) },
	"DirEntry":        func() xdrtest.Message { return new(dirEntry) },
	"DirEntryPlus":    func() xdrtest.Message { return new(dirEntryPlus) },
	"DirOpArgs":       func() xdrtest.Message { return new(DirOpArgs) },
	"ExportRes":       func() xdrtest.Message { return new(ExportRes) },
	"FSInfoRes":       func() xdrtest.Message { return new(FSInfoRes) },
	"FSStatRes":       func() xdrtest.Message { return new(FSStatRes) },
	"GetAttrRes":      func() xdrtest.Message { return new(GetAttrRes) },
	"HandleArgs":      func() xdrtest.Message { return new(HandleArgs) },
	"LinkArgs":        func() xdrtest.Message { return new(LinkArgs) },
	"LinkRes":         func() xdrtest.Message { return new(LinkRes) },
	"LookupRes":       func() xdrtest.Message { return new(LookupRes) },
	"MakeRes":         func() xdrtest.Message { return new(MakeRes) },
	"Mapping":         func() xdrtest.Message { return new(Mapping) },
	"MkdirArgs":       func() xdrtest.Message { return new(MkdirArgs) },
	"MknodArgs":       func() xdrtest.Message { return new(MknodArgs) },
	"MountRes":        func() xdrtest.Message { return new(MountRes) },
	"PathArgs":        func() xdrtest.Message { return new(PathArgs) },
	"RangeArgs":       func() xdrtest.Message { return new(RangeArgs) },
	"ReadDirArgs":     func() xdrtest.Message { return new(ReadDirArgs) },
	"ReadDirHead":     func() xdrtest.Message { return new(ReadDirHead) },
	"ReadDirPlusArgs": func() xdrtest.Message { return new(ReadDirPlusArgs) },
	"ReadLinkRes":     func() xdrtest.Message { return new(ReadLinkRes) },
	"ReadRes":         func() xdrtest.Message { return new(ReadRes) },
	"RenameArgs":      func() xdrtest.Message { return new(RenameArgs) },
	"RenameRes":       func() xdrtest.Message { return new(RenameRes) },
	"SetAttrArgs":     func() xdrtest.Message { return new(SetAttrArgs) },
	"SymlinkArgs":     func() xdrtest.Message { return new(SymlinkArgs) },
	"WccRes":          func() xdrtest.Message { return new(WccRes) },
	"WriteArgs":       func() xdrtest.Message { return new(WriteArgs) },
	"WriteRes":        func() xdrtest.Message { return new(WriteRes) },
}

// dirEntry and dirEntryPlus are a DirEntry of either procedure.
type (
	dirEntry     struct{ DirEntry }
	dirEntryPlus struct{ DirEntry }
)

func (r *dirEntry) Encode(e *oncrpc.Encoder)     { r.DirEntry.Encode(e, false) }
func (r *dirEntry) Decode(d *oncrpc.Decoder)     { r.DirEntry.Decode(d, false) }
func (r *dirEntryPlus) Encode(e *oncrpc.Encoder) { r.DirEntry.Encode(e, true) }
func (r *dirEntryPlus) Decode(d *oncrpc.Decoder) { r.DirEntry.Decode(d, true) }

func TestRoundTrip(t *testing.T) { messages.RoundTrip(t) }

func TestTruncated(t *testing.T) { messages.Truncated(t) }

func FuzzDecode(f *testing.F) { messages.Fuzz(f) }
