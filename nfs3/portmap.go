// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import "github.com/hubhome/hubhome/oncrpc"

// The port mapper (RFC 1833 section 3).
const (
	PortmapProgram = 100000
	PortmapVersion = 2
	// PortmapPort is where it listens.
	PortmapPort = 111

	PortmapProcNull    = 0
	PortmapProcGetPort = 3

	// ProtoTCP is the Proto of a Mapping (IPPROTO_TCP).
	ProtoTCP = 6
)

// Mapping is where a program is (mapping). It is the argument of GETPORT, whose Port means nothing; the result is the
// port alone, an unsigned int, 0 where the program is not registered.
type Mapping struct{ Program, Version, Proto, Port uint32 }

// Encode writes the mapping.
func (m *Mapping) Encode(e *oncrpc.Encoder) {
	e.Uint32(m.Program)
	e.Uint32(m.Version)
	e.Uint32(m.Proto)
	e.Uint32(m.Port)
}

// Decode reads the mapping.
func (m *Mapping) Decode(d *oncrpc.Decoder) {
	m.Program = d.Uint32()
	m.Version = d.Uint32()
	m.Proto = d.Uint32()
	m.Port = d.Uint32()
}
