// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/xdrtest"
)

// messages are all the types that stand alone in a COMPOUND.
var messages = xdrtest.Messages{
	"CompoundRes":           func() xdrtest.Message { return new(compoundRes) },
	"AccessArgs":            func() xdrtest.Message { return new(AccessArgs) },
	"AccessRes":             func() xdrtest.Message { return new(AccessRes) },
	"AllocateArgs":          func() xdrtest.Message { return new(AllocateArgs) },
	"BackchannelCtlArgs":    func() xdrtest.Message { return new(BackchannelCtlArgs) },
	"BindConnToSessionArgs": func() xdrtest.Message { return new(BindConnToSessionArgs) },
	"BindConnToSessionRes":  func() xdrtest.Message { return new(BindConnToSessionRes) },
	"CloneArgs":             func() xdrtest.Message { return new(CloneArgs) },
	"CloseArgs":             func() xdrtest.Message { return new(CloseArgs) },
	"CloseRes":              func() xdrtest.Message { return new(CloseRes) },
	"CommitArgs":            func() xdrtest.Message { return new(CommitArgs) },
	"CommitRes":             func() xdrtest.Message { return new(CommitRes) },
	"CompoundArgs":          func() xdrtest.Message { return new(CompoundArgs) },
	"CopyArgs":              func() xdrtest.Message { return new(CopyArgs) },
	"CopyNotifyArgs":        func() xdrtest.Message { return new(CopyNotifyArgs) },
	"CopyRequirements":      func() xdrtest.Message { return new(CopyRequirements) },
	"CopyRes":               func() xdrtest.Message { return new(CopyRes) },
	"CreateArgs":            func() xdrtest.Message { return new(CreateArgs) },
	"CreateRes":             func() xdrtest.Message { return new(CreateRes) },
	"CreateSessionArgs":     func() xdrtest.Message { return new(CreateSessionArgs) },
	"CreateSessionRes":      func() xdrtest.Message { return new(CreateSessionRes) },
	"DeallocateArgs":        func() xdrtest.Message { return new(DeallocateArgs) },
	"DelegPurgeArgs":        func() xdrtest.Message { return new(DelegPurgeArgs) },
	"DelegReturnArgs":       func() xdrtest.Message { return new(DelegReturnArgs) },
	"DestroyClientIDArgs":   func() xdrtest.Message { return new(DestroyClientIDArgs) },
	"DestroySessionArgs":    func() xdrtest.Message { return new(DestroySessionArgs) },
	"ExchangeIDArgs":        func() xdrtest.Message { return new(ExchangeIDArgs) },
	"ExchangeIDRes":         func() xdrtest.Message { return new(ExchangeIDRes) },
	"FreeStateidArgs":       func() xdrtest.Message { return new(FreeStateidArgs) },
	"GetAttrArgs":           func() xdrtest.Message { return new(GetAttrArgs) },
	"GetAttrRes":            func() xdrtest.Message { return new(GetAttrRes) },
	"GetDirDelegationArgs":  func() xdrtest.Message { return new(GetDirDelegationArgs) },
	"GetFHRes":              func() xdrtest.Message { return new(GetFHRes) },
	"GetXattrArgs":          func() xdrtest.Message { return new(GetXattrArgs) },
	"GetXattrRes":           func() xdrtest.Message { return new(GetXattrRes) },
	"IOAdviseArgs":          func() xdrtest.Message { return new(IOAdviseArgs) },
	"IOAdviseRes":           func() xdrtest.Message { return new(IOAdviseRes) },
	"LinkArgs":              func() xdrtest.Message { return new(LinkArgs) },
	"LinkRes":               func() xdrtest.Message { return new(LinkRes) },
	"ListXattrsArgs":        func() xdrtest.Message { return new(ListXattrsArgs) },
	"ListXattrsRes":         func() xdrtest.Message { return new(ListXattrsRes) },
	"LockArgs":              func() xdrtest.Message { return new(LockArgs) },
	"LockDenied":            func() xdrtest.Message { return new(LockDenied) },
	"LockRes":               func() xdrtest.Message { return new(LockRes) },
	"LockTArgs":             func() xdrtest.Message { return new(LockTArgs) },
	"LockUArgs":             func() xdrtest.Message { return new(LockUArgs) },
	"LockURes":              func() xdrtest.Message { return new(LockURes) },
	"LookupArgs":            func() xdrtest.Message { return new(LookupArgs) },
	"OffloadCancelArgs":     func() xdrtest.Message { return new(OffloadCancelArgs) },
	"OffloadStatusArgs":     func() xdrtest.Message { return new(OffloadStatusArgs) },
	"OffloadStatusRes":      func() xdrtest.Message { return new(OffloadStatusRes) },
	"OpenArgs":              func() xdrtest.Message { return new(OpenArgs) },
	"OpenAttrArgs":          func() xdrtest.Message { return new(OpenAttrArgs) },
	"OpenDowngradeArgs":     func() xdrtest.Message { return new(OpenDowngradeArgs) },
	"OpenDowngradeRes":      func() xdrtest.Message { return new(OpenDowngradeRes) },
	"OpenRes":               func() xdrtest.Message { return new(OpenRes) },
	"PutFHArgs":             func() xdrtest.Message { return new(PutFHArgs) },
	"ReadArgs":              func() xdrtest.Message { return new(ReadArgs) },
	"ReadDirArgs":           func() xdrtest.Message { return new(ReadDirArgs) },
	"ReadDirRes":            func() xdrtest.Message { return new(ReadDirRes) },
	"ReadLinkRes":           func() xdrtest.Message { return new(ReadLinkRes) },
	"ReadPlusArgs":          func() xdrtest.Message { return new(ReadPlusArgs) },
	"ReadPlusRes":           func() xdrtest.Message { return new(ReadPlusRes) },
	"ReadRes":               func() xdrtest.Message { return new(ReadRes) },
	"ReclaimCompleteArgs":   func() xdrtest.Message { return new(ReclaimCompleteArgs) },
	"RemoveArgs":            func() xdrtest.Message { return new(RemoveArgs) },
	"RemoveRes":             func() xdrtest.Message { return new(RemoveRes) },
	"RemoveXattrArgs":       func() xdrtest.Message { return new(RemoveXattrArgs) },
	"RemoveXattrRes":        func() xdrtest.Message { return new(RemoveXattrRes) },
	"RenameArgs":            func() xdrtest.Message { return new(RenameArgs) },
	"RenameRes":             func() xdrtest.Message { return new(RenameRes) },
	"ResOp":                 func() xdrtest.Message { return new(ResOp) },
	"SecInfoArgs":           func() xdrtest.Message { return new(SecInfoArgs) },
	"SecInfoNoNameArgs":     func() xdrtest.Message { return new(SecInfoNoNameArgs) },
	"SecInfoRes":            func() xdrtest.Message { return new(SecInfoRes) },
	"SeekArgs":              func() xdrtest.Message { return new(SeekArgs) },
	"SeekRes":               func() xdrtest.Message { return new(SeekRes) },
	"SequenceArgs":          func() xdrtest.Message { return new(SequenceArgs) },
	"SequenceRes":           func() xdrtest.Message { return new(SequenceRes) },
	"SetAttrArgs":           func() xdrtest.Message { return new(SetAttrArgs) },
	"SetAttrRes":            func() xdrtest.Message { return new(SetAttrRes) },
	"SetXattrArgs":          func() xdrtest.Message { return new(SetXattrArgs) },
	"SetXattrRes":           func() xdrtest.Message { return new(SetXattrRes) },
	"TestStateidArgs":       func() xdrtest.Message { return new(TestStateidArgs) },
	"TestStateidRes":        func() xdrtest.Message { return new(TestStateidRes) },
	"VerifyArgs":            func() xdrtest.Message { return new(VerifyArgs) },
	"WantDelegationArgs":    func() xdrtest.Message { return new(WantDelegationArgs) },
	"WriteArgs":             func() xdrtest.Message { return new(WriteArgs) },
	"WriteRes":              func() xdrtest.Message { return new(WriteRes) },
}

// compoundRes drops what CompoundRes.Encode returns.
type compoundRes struct{ CompoundRes }

func (r *compoundRes) Encode(e *oncrpc.Encoder) { r.CompoundRes.Encode(e) }

func TestRoundTrip(t *testing.T) { messages.RoundTrip(t) }

func TestTruncated(t *testing.T) { messages.Truncated(t) }

func FuzzDecode(f *testing.F) { messages.Fuzz(f) }
