package convert

// Rate is that of all times here, in Hz: that of MPEG-TS and of pictures over RTP.
const Rate = 90000

// Format is how an elementary stream is coded and framed.
type Format uint8

// Formats. What a [Unit] has of each is said there.
const (
	None Format = iota
	H264
	HEVC
	AV1
	VP9
	ADTS // AAC
	LOAS // AAC in LATM, with a sync word
	AAC  // frames alone, described by an AudioSpecificConfig
	Opus
	MP3
	AC3
	EAC3
)

// codecs are the names of formats, as [flv.Kind] has them.
var codecs = [...]string{"", "h264", "hevc", "av1", "vp9", "aac", "aac", "aac", "opus", "mp3", "ac3", "eac3"}

// Codec is the name of the format's codec, as [flv.Kind] has it; "" for None.
func (f Format) Codec() string { return codecs[f] }

// Pictures reports whether the format is one of pictures.
func (f Format) Pictures() bool { return f >= H264 && f <= VP9 }

// Track is an elementary stream, as it was announced.
type Track struct {
	Format Format
	// Config is what was announced of H264 and HEVC, parameter sets with start codes in front, if
	// any were; and the AudioSpecificConfig of AAC.
	Config   string
	Channels int // of Opus; 2 if it is 0
}

// Unit is a piece of an elementary stream with its times.
//
// Of H264 and HEVC it is one picture, NAL units with start codes; of AV1 a temporal unit of OBUs with
// their sizes; of VP9 a frame; of AAC and Opus one frame. Of the other formats it is any part of the
// stream, in which frames begin and end anywhere.
type Unit struct {
	// PTS and DTS are in units of 1/[Rate] s, without wraps. That of sound in several frames is of
	// the first that begins in the unit.
	PTS, DTS       int64
	HasPTS, HasDTS bool
	// Lost says that something that was sent is missing right in front of it.
	Lost bool
	Data []byte   // not kept
	NALs [][]byte // of H264 and HEVC in the place of Data, if not nil
}

// Unwrapper makes times without wraps of those in a number of bits that wrap. Tracks with one
// clock share it: the distance between them stays what it is across a wrap. The zero value is ready.
type Unwrapper struct {
	begun bool
	last  int64
}

// Next returns the time next to the one before it that is t in so many bits. The first is t itself.
func (u *Unwrapper) Next(t uint64, bits uint) int64 {
	if !u.begun {
		u.begun, u.last = true, int64(t)
		return u.last
	}
	step := (int64(t) - u.last) << (64 - bits) >> (64 - bits) // the sign is that of the highest bit
	u.last += step
	return u.last
}

// millis is a time in milliseconds, as tags have it: that it wraps in 32 bits, those who read know.
func millis(t int64) int64 {
	return (t + Rate/2000) / (Rate / 1000)
}
