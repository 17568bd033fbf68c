package ffmpeg

import (
	"encoding/binary"
	"io"
	"math"

	"relay/ingest/flv"
)

// soundBegins is the timestamp that the first frame of sound is given on its way to ffmpeg, in milliseconds. AAC
// begins a frame before what it was made of, which must not be before 0.
const soundBegins = 1000

// SoundJob makes AAC of the sound of one codec, as it comes on standard input: in FLV, or in Matroska for codecs that
// ffmpeg's reader of FLV does not know. Timestamps stay what they are: what is missing becomes silence, and clocks that
// drift are followed within 40 ms.
func SoundJob(codec string, said func(string)) Job {
	format := "flv"
	if matroskaCodecs[codec] != "" {
		format = "matroska"
	}
	args := []string{"-protocol_whitelist", "pipe,data", "-flags", "low_delay", "-probesize", "32", "-analyzeduration", "0", "-f", format, "-i", "pipe:0", "-copyts", "-map", "0:a:0"}
	args = append(args, aacArgs("aresample=async=1000:min_comp=0.01:min_hard_comp=0.04")...)
	// Without -fflags nobuffer: it would drop what is read to find out what comes.
	return Job{In: true, Said: said, Args: append(args, "-threads", "1", "-flush_packets", "1", "-flvflags", "no_duration_filesize", "-f", "flv", "pipe:1")}
}

// SoundWriter writes sound to ffmpeg as [SoundJob] has it read.
type SoundWriter struct {
	to    io.Writer
	codec string
	first uint32 // tag's timestamp
	begun bool
	conf  []byte // of the codec, before the first frame
}

// NewSoundWriter returns one for sound of a codec. first is the timestamp of the first tag.
func NewSoundWriter(to io.Writer, codec string, first uint32) *SoundWriter {
	return &SoundWriter{to: to, codec: codec, first: first}
}

// Write writes a tag of sound. What has no sound in it is left out.
func (w *SoundWriter) Write(t flv.Tag) error {
	if matroskaCodecs[w.codec] == "" {
		return w.asFLV(t)
	}
	c, ok := flv.Decode(t)
	switch {
	case !ok:
		return nil
	case c.Config:
		w.conf = append([]byte(nil), c.Data...)
		return nil
	}
	var out []byte
	if !w.begun {
		w.begun = true
		out = matroskaHeader(w.codec, w.conf)
	}
	_, err := w.to.Write(append(out, matroskaFrame(w.at(t), c.Data)...))
	return err
}

func (w *SoundWriter) asFLV(t flv.Tag) error {
	var out []byte
	if !w.begun {
		w.begun = true
		out = []byte("FLV\x01\x04\x00\x00\x00\x09\x00\x00\x00\x00")
	}
	n := len(out)
	out = append(out, t...)
	flv.PutTimestamp(out[n:], w.at(t))
	_, err := w.to.Write(out)
	return err
}

// at is a tag's timestamp on its way.
func (w *SoundWriter) at(t flv.Tag) uint32 {
	return uint32(max(int32(t.Timestamp()-w.first)+soundBegins, 0))
}

// Back gives a tag that ffmpeg has made its place among those that came in. first is the timestamp of the first frame
// that was written.
func Back(t flv.Tag, first uint32) {
	flv.PutTimestamp(t, t.Timestamp()-soundBegins+first)
}

// matroskaCodecs are the codecs for which Matroska is written, by its names for them.
var matroskaCodecs = map[string]string{
	"opus": "A_OPUS",
	"flac": "A_FLAC",
	"ac3":  "A_AC3",
	"eac3": "A_EAC3",
}

// opusHead is the configuration of Opus that has none: two channels (RFC 7845, 5.1).
var opusHead = []byte("OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00")

// Elements of Matroska (RFC 9559). A size of all ones is one that is not known.
const (
	elEBML, elDocType, elDocVersion, elDocRead = 0x1A45DFA3, 0x4282, 0x4287, 0x4285
	elSegment                                  = 0x18538067
	elInfo, elScale                            = 0x1549A966, 0x2AD7B1
	elTracks, elEntry, elNumber, elUID, elType = 0x1654AE6B, 0xAE, 0xD7, 0x73C5, 0x83
	elCodec, elPrivate                         = 0x86, 0x63A2
	elAudio, elRate, elChannels                = 0xE1, 0xB5, 0x9F
	elCluster, elTime, elBlock                 = 0x1F43B675, 0xE7, 0xA3

	matroskaAudio = 2       // a track's type
	millisecond   = 1000000 // of the time scale, in ns
	independent   = 0x80    // a block's flags
)

// matroskaHeader is what stands before the frames of one track of sound.
func matroskaHeader(codec string, conf []byte) []byte {
	rate, channels := 48000.0, 2
	switch codec {
	case "opus":
		if len(conf) < len(opusHead) {
			conf = opusHead
		}
		channels = max(int(conf[9]), 1)
		conf = append([]byte(nil), conf...)
		conf[10], conf[11] = 0, 0 // what is to be skipped at the beginning: no time is to be lost
	case "flac":
		if len(conf) >= 4 && string(conf[:4]) != "fLaC" {
			conf = append([]byte("fLaC"), conf...)
		}
	}
	var bits [8]byte
	binary.BigEndian.PutUint64(bits[:], math.Float64bits(rate))
	audio := element(elAudio, append(element(elRate, bits[:]), element(elChannels, number(channels))...))
	entry := join(element(elNumber, number(1)), element(elUID, number(1)), element(elType, number(matroskaAudio)), element(elCodec, []byte(matroskaCodecs[codec])), audio)
	if len(conf) > 0 {
		entry = append(entry, element(elPrivate, conf)...)
	}
	return join(
		element(elEBML, join(element(elDocType, []byte("matroska")), element(elDocVersion, number(4)), element(elDocRead, number(2)))),
		id(elSegment), []byte{0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		element(elInfo, element(elScale, number(millisecond))),
		element(elTracks, element(elEntry, entry)))
}

// matroskaFrame is one frame, in a cluster of its own.
func matroskaFrame(ms uint32, data []byte) []byte {
	block := append([]byte{0x81, 0, 0, independent}, data...)
	return element(elCluster, append(element(elTime, number(int(ms))), element(elBlock, block)...))
}

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// element is one with its size in 8 bytes.
func element(of uint32, data []byte) []byte {
	size := make([]byte, 8)
	binary.BigEndian.PutUint64(size, uint64(len(data))|1<<56)
	return join(id(of), size, data)
}

// id is an element's own number, which says how long it is.
func id(of uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, of)
	for b[0] == 0 {
		b = b[1:]
	}
	return b
}

func number(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
