// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"math"
	"strconv"

	"github.com/hubhome/hubhome/oncrpc"
)

// Attr is the number of a file's attribute (RFC 8881 section 5, RFC 7862 section 12.2, RFC 8275, RFC 8276).
type Attr uint32

// The attributes.
const (
	AttrSupportedAttrs    Attr = 0
	AttrType              Attr = 1
	AttrFHExpireType      Attr = 2
	AttrChange            Attr = 3
	AttrSize              Attr = 4
	AttrLinkSupport       Attr = 5
	AttrSymlinkSupport    Attr = 6
	AttrNamedAttr         Attr = 7
	AttrFSID              Attr = 8
	AttrUniqueHandles     Attr = 9
	AttrLeaseTime         Attr = 10
	AttrRdattrError       Attr = 11
	AttrACL               Attr = 12
	AttrACLSupport        Attr = 13
	AttrArchive           Attr = 14
	AttrCanSetTime        Attr = 15
	AttrCaseInsensitive   Attr = 16
	AttrCasePreserving    Attr = 17
	AttrChownRestricted   Attr = 18
	AttrFilehandle        Attr = 19
	AttrFileID            Attr = 20
	AttrFilesAvail        Attr = 21
	AttrFilesFree         Attr = 22
	AttrFilesTotal        Attr = 23
	AttrFSLocations       Attr = 24
	AttrHidden            Attr = 25
	AttrHomogeneous       Attr = 26
	AttrMaxFileSize       Attr = 27
	AttrMaxLink           Attr = 28
	AttrMaxName           Attr = 29
	AttrMaxRead           Attr = 30
	AttrMaxWrite          Attr = 31
	AttrMimeType          Attr = 32
	AttrMode              Attr = 33
	AttrNoTrunc           Attr = 34
	AttrNumLinks          Attr = 35
	AttrOwner             Attr = 36
	AttrOwnerGroup        Attr = 37
	AttrQuotaAvailHard    Attr = 38
	AttrQuotaAvailSoft    Attr = 39
	AttrQuotaUsed         Attr = 40
	AttrRawDev            Attr = 41
	AttrSpaceAvail        Attr = 42
	AttrSpaceFree         Attr = 43
	AttrSpaceTotal        Attr = 44
	AttrSpaceUsed         Attr = 45
	AttrSystem            Attr = 46
	AttrTimeAccess        Attr = 47
	AttrTimeAccessSet     Attr = 48
	AttrTimeBackup        Attr = 49
	AttrTimeCreate        Attr = 50
	AttrTimeDelta         Attr = 51
	AttrTimeMetadata      Attr = 52
	AttrTimeModify        Attr = 53
	AttrTimeModifySet     Attr = 54
	AttrMountedOnFileID   Attr = 55
	AttrDirNotifDelay     Attr = 56
	AttrDirentNotifDelay  Attr = 57
	AttrDACL              Attr = 58
	AttrSACL              Attr = 59
	AttrChangePolicy      Attr = 60
	AttrFSStatus          Attr = 61
	AttrFSLayoutTypes     Attr = 62
	AttrLayoutHint        Attr = 63
	AttrLayoutTypes       Attr = 64
	AttrLayoutBlkSize     Attr = 65
	AttrLayoutAlignment   Attr = 66
	AttrFSLocationsInfo   Attr = 67
	AttrMDSThreshold      Attr = 68
	AttrRetentionGet      Attr = 69
	AttrRetentionSet      Attr = 70
	AttrRetentevtGet      Attr = 71
	AttrRetentevtSet      Attr = 72
	AttrRetentionHold     Attr = 73
	AttrModeSetMasked     Attr = 74
	AttrSuppAttrExclCreat Attr = 75
	AttrFSCharsetCap      Attr = 76
	AttrCloneBlkSize      Attr = 77
	AttrSpaceFreed        Attr = 78
	AttrChangeAttrType    Attr = 79
	AttrSecLabel          Attr = 80
	AttrModeUmask         Attr = 81
	AttrXattrSupport      Attr = 82
)

// Values of AttrFHExpireType (RFC 8881 section 4.2.3).
const (
	FHPersistent        = 0x0
	FHNoExpireWithOpen  = 0x1
	FHVolatileAny       = 0x2
	FHVolatileMigration = 0x4
	FHVolatileRename    = 0x8
)

// Bits of AttrFSCharsetCap (RFC 8881 section 14.4).
const (
	FSCharsetContainsNonUTF8 = 0x1
	FSCharsetAllowsOnlyUTF8  = 0x2
)

// ChangeAttrType says what a client may read into the change attribute (RFC 7862 section 12.2.3).
type ChangeAttrType uint32

// The types of change attributes.
const (
	ChangeMonotonicIncr        ChangeAttrType = 0
	ChangeVersionCounter       ChangeAttrType = 1
	ChangeVersionCounterNoPNFS ChangeAttrType = 2
	ChangeTimeMetadata         ChangeAttrType = 3
	ChangeUndefined            ChangeAttrType = 4
)

// FSID names a file system (fsid4).
type FSID struct{ Major, Minor uint64 }

// ModeUmask is AttrModeUmask: the mode of a new file, and the umask that the client did not apply (RFC 8275 section 4).
type ModeUmask struct{ Mode, Umask uint32 }

// TimeHow says whose clock sets a time (time_how4).
type TimeHow uint32

// The clocks.
const (
	SetToServerTime TimeHow = 0
	SetToClientTime TimeHow = 1
)

// SetTime is a time to set (settime4). Time counts with SetToClientTime alone.
type SetTime struct {
	How  TimeHow
	Time Time
}

// Encode writes the time to set.
func (s *SetTime) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(s.How))
	if s.How == SetToClientTime {
		s.Time.Encode(e)
	}
}

// Decode reads the time to set.
func (s *SetTime) Decode(d *oncrpc.Decoder) {
	*s = SetTime{How: TimeHow(d.Uint32())}
	if s.How == SetToClientTime {
		s.Time.Decode(d)
	}
}

// Owner is the value of AttrOwner and AttrOwnerGroup: a number, or else a name. A number goes over the wire as its
// decimal digits (RFC 8881 section 5.9).
type Owner struct {
	ID uint32
	// Name is what the wire said where that is no number in its shortest form; nil where ID counts.
	Name []byte
}

// Encode writes the owner.
func (o *Owner) Encode(e *oncrpc.Encoder) {
	if o.Name != nil {
		e.Opaque(o.Name)
		return
	}
	var digits [10]byte
	e.Opaque(strconv.AppendUint(digits[:0], uint64(o.ID), 10))
}

// Decode reads an owner.
func (o *Owner) Decode(d *oncrpc.Decoder) {
	name := d.Opaque(maxName)
	if id, ok := parseID(name); ok {
		*o = Owner{ID: id}
	} else {
		*o = Owner{Name: name}
	}
}

// parseID reads a number in its shortest decimal form.
func parseID(digits []byte) (uint32, bool) {
	if len(digits) == 0 || len(digits) > 10 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	id := uint64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		id = id*10 + uint64(c-'0')
	}
	return uint32(id), id <= math.MaxUint32
}
