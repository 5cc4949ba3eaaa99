// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

// Flavor is a way to say who calls (RFC 5531 section 8.2).
type Flavor uint32

// The flavors that have a meaning here. A Server takes the first two.
const (
	AuthNone  Flavor = 0
	AuthSys   Flavor = 1
	RPCSecGSS Flavor = 6
)

// Bounds of RFC 5531: an auth body (section 8.2), and the machine name and groups of AUTH_SYS (appendix A).
const (
	maxAuthBody = 400
	maxMachine  = 255
	maxGroups   = 16
)

// Cred is who a caller says it is. With AuthSys the embedded SysCred counts. It proves nothing.
type Cred struct {
	Flavor Flavor
	SysCred
}

// SysCred is an AUTH_SYS credential (authsys_parms, RFC 5531 appendix A).
type SysCred struct {
	Stamp uint32
	// Machine is the client's host name. It aliases the message it was decoded from.
	Machine  []byte
	UID, GID uint32

	gids  [maxGroups]uint32
	ngids int
}

// GIDs returns the supplementary groups. The slice is the credential's own memory.
func (c *SysCred) GIDs() []uint32 { return c.gids[:c.ngids] }

// SetGIDs sets the supplementary groups: the first 16, which is all that AUTH_SYS can carry.
func (c *SysCred) SetGIDs(gids []uint32) { c.ngids = copy(c.gids[:], gids) }

// Decode reads the credential.
func (c *SysCred) Decode(d *Decoder) {
	*c = SysCred{Stamp: d.Uint32(), Machine: d.Opaque(maxMachine), UID: d.Uint32(), GID: d.Uint32()}
	c.ngids = d.Count(maxGroups, 4)
	for i := range c.ngids {
		c.gids[i] = d.Uint32()
	}
}

// Encode writes the credential.
func (c *SysCred) Encode(e *Encoder) {
	e.Uint32(c.Stamp)
	e.Opaque(c.Machine)
	e.Uint32(c.UID)
	e.Uint32(c.GID)
	e.Uint32(uint32(c.ngids))
	for _, gid := range c.GIDs() {
		e.Uint32(gid)
	}
}

// decode reads an opaque_auth. ok tells whether it is a credential of a flavor that is known here; a message in which
// not even that can be told is the Decoder's error.
func (c *Cred) decode(d *Decoder) (ok bool) {
	*c = Cred{Flavor: Flavor(d.Uint32())}
	body := d.Opaque(maxAuthBody)
	switch c.Flavor {
	case AuthNone:
		return true
	case AuthSys:
		var sys Decoder
		sys.Reset(body)
		c.SysCred.Decode(&sys)
		return sys.Err() == nil && sys.Remaining() == 0
	}
	return false
}

// encode writes an opaque_auth.
func (c *Cred) encode(e *Encoder) {
	e.Uint32(uint32(c.Flavor))
	at := e.Len()
	e.Uint32(0)
	if c.Flavor == AuthSys {
		c.SysCred.Encode(e)
		e.SetUint32(at, uint32(e.Len()-at-4))
	}
}
