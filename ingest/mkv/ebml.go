package mkv

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Elements (RFC 8794, RFC 9559): those that are read, and those that are known to be passed over.
const (
	idHeader      = 0x1a45dfa3
	idSegment     = 0x18538067
	idSeekHead    = 0x114d9b74
	idInfo        = 0x1549a966
	idTracks      = 0x1654ae6b
	idCluster     = 0x1f43b675
	idCues        = 0x1c53bb6b
	idAttachments = 0x1941a469
	idChapters    = 0x1043a770
	idTags        = 0x1254c367
	idVoid        = 0xec
	idCRC         = 0xbf

	idTimestampScale = 0x2ad7b1

	idTimestamp      = 0xe7
	idSimpleBlock    = 0xa3
	idBlockGroup     = 0xa0
	idEncryptedBlock = 0xaf
	idBlock          = 0xa1
	idReference      = 0xfb

	idTrackEntry      = 0xae
	idTrackNumber     = 0xd7
	idTrackType       = 0x83
	idFlagEnabled     = 0xb9
	idFlagDefault     = 0x88
	idCodecID         = 0x86
	idCodecPrivate    = 0x63a2
	idCodecDelay      = 0x56aa
	idAudio           = 0xe1
	idSampling        = 0xb5
	idChannels        = 0x9f
	idEncodings       = 0x6d80
	idEncoding        = 0x6240
	idEncodingScope   = 0x5032
	idEncodingType    = 0x5033
	idCompression     = 0x5034
	idCompressionAlgo = 0x4254
	idCompressionData = 0x4255
)

// maxID and maxSize are how long IDs and sizes are at most, in bytes.
const maxID, maxSize = 4, 8

// widthOf is how long a number is that begins with a byte: 9 if that is none.
func widthOf(first byte) int { return bits.LeadingZeros8(first) + 1 }

// parseID reads an element's ID, of 1 to 4 bytes. n is how long it is, 0 if b is too short, and -1 if
// that is none.
func parseID(b []byte) (id uint32, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	if n = widthOf(b[0]); n > maxID {
		return 0, -1
	}
	if len(b) < n {
		return 0, 0
	}
	for _, c := range b[:n] {
		id = id<<8 | uint32(c)
	}
	return id, n
}

// unknown is the size of an element that does not say how long it is.
const unknown = math.MaxUint64

// parseSize reads a size, of 1 to 8 bytes. n is as that of parseID.
func parseSize(b []byte) (size uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	if n = widthOf(b[0]); n > maxSize {
		return 0, -1
	}
	if len(b) < n {
		return 0, 0
	}
	size = uint64(b[0]) & (1<<(8-n) - 1)
	for _, c := range b[1:n] {
		size = size<<8 | uint64(c)
	}
	if size == 1<<(7*n)-1 { // whatever length it is written with
		return unknown, n
	}
	return size, n
}

// elements goes through those of a list that is whole, up to what cannot be one.
type elements struct {
	rest []byte
	id   uint32
	body []byte // of the newest
}

// next reports whether there is another one.
func (e *elements) next() bool {
	id, n := parseID(e.rest)
	if n <= 0 {
		return false
	}
	size, m := parseSize(e.rest[n:])
	if m <= 0 || size > uint64(len(e.rest)-n-m) {
		return false
	}
	body := e.rest[n+m:]
	e.id, e.body, e.rest = id, body[:size], body[size:]
	return true
}

// number is an element of an unsigned integer, of up to 8 bytes.
func number(b []byte) (n uint64) {
	for _, c := range b[:min(len(b), 8)] {
		n = n<<8 | uint64(c)
	}
	return n
}

// float is an element of a floating-point number, 0 if it is none.
func float(b []byte) float64 {
	switch len(b) {
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	return 0
}
