package convert

import (
	"encoding/binary"

	"relay/ingest/flv"
)

// picture is what of a unit goes into a tag.
type picture struct {
	data     []byte // as MP4 has it; good until the next one
	key      bool   // a decoder may start here
	recovers bool   // it shows whole pictures soon after, if it does
	open     bool   // pictures may follow that are shown before it, and need what was before it
	broke    bool   // what comes needs a key frame first: the sequence is another one
	inLine   bool   // it says that none is shown before one that is decoded before it
	nals     [][]byte
	sets     [][]byte // parameter sets in force, of a key frame; these two are nil for codecs without NAL units
}

// size is what a configuration says of a stream's pictures; what is 0 is not known.
type size struct {
	width, height int
	hz            float64
}

// pictures is what knows one codec.
type pictures interface {
	// next takes a unit apart. It reports false if there is no picture in it.
	next(u Unit) (picture, bool)
	// config returns the configuration in force, nil before there is one. It is the same memory
	// until there is another one.
	config() ([]byte, size)
}

// newPictures returns nil for formats that are none of pictures.
func newPictures(t Track) pictures {
	switch t.Format {
	case H264:
		p := &avc{}
		p.next(Unit{Data: []byte(t.Config)})
		return p
	case HEVC:
		p := &hevc{}
		p.next(Unit{Data: []byte(t.Config)})
		return p
	case AV1:
		return &av1Pictures{}
	case VP9:
		return &vp9Pictures{}
	}
	return nil
}

// lengthSize is how many bytes the length in front of each NAL unit has.
const lengthSize = 4

// unitsOf are the NAL units of a picture. None is empty.
func unitsOf(u Unit, into [][]byte) [][]byte {
	if u.NALs == nil {
		units, ok := flv.SplitUnits(u.Data)
		if !ok {
			return nil
		}
		return units
	}
	for _, n := range u.NALs {
		if len(n) > 0 {
			into = append(into, n)
		}
	}
	return into
}

// framed puts units, each with its length in front, into the memory of b.
func framed(b []byte, units [][]byte) []byte {
	for _, u := range units {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(u))), u...)
	}
	return b
}
