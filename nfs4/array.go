// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// codec is a pointer to a T that encodes and decodes itself.
type codec[T any] interface {
	*T
	Encode(*oncrpc.Encoder)
	Decode(*oncrpc.Decoder)
}

// encodeArray writes an array of structures.
func encodeArray[T any, P codec[T]](e *oncrpc.Encoder, list []T) {
	e.Uint32(uint32(len(list)))
	for i := range list {
		P(&list[i]).Encode(e)
	}
}

// decodeArray reads an array of at most limit structures of at least size bytes on the wire each; nil when empty.
func decodeArray[T any, P codec[T]](d *oncrpc.Decoder, limit, size int) []T {
	n := d.Count(limit, size)
	if n == 0 {
		return nil
	}
	list := make([]T, n)
	for i := range list {
		P(&list[i]).Decode(d)
	}
	return list
}

// encodeOpaques writes an array of opaques.
func encodeOpaques(e *oncrpc.Encoder, list [][]byte) {
	e.Uint32(uint32(len(list)))
	for _, b := range list {
		e.Opaque(b)
	}
}

// decodeOpaques reads an array of at most limit opaques of at most size bytes each; nil when empty.
func decodeOpaques(d *oncrpc.Decoder, limit, size int) [][]byte {
	n := d.Count(limit, 4)
	if n == 0 {
		return nil
	}
	list := make([][]byte, n)
	for i := range list {
		list[i] = d.Opaque(size)
	}
	return list
}
