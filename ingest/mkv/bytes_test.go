package mkv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"relay/ingest/convert"
	"relay/ingest/ingesttest"
	"relay/ingest/sample"
)

// el is an element with its size in four bytes.
func el(id uint32, body ...string) string {
	all := strings.Join(body, "")
	return head(id) + string(binary.BigEndian.AppendUint32(nil, 0x10000000|uint32(len(all)))) + all
}

// endless begins an element that does not say how long it is, in n bytes.
func endless(id uint32, n int) string {
	return head(id) + string(binary.BigEndian.AppendUint64(nil, 1<<(7*n+1)-1)[8-n:])
}

func head(id uint32) string {
	return strings.TrimLeft(string(binary.BigEndian.AppendUint32(nil, id)), "\x00")
}

func num(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

const (
	sps   = "\x67\x42\xc0\x28\xd9\x00\x78\x02\x27\xe5\x84\x00\x00\x03\x00\x04\x00\x00\x03\x00\xf0\x3c\x60\xc9\x20"
	pps   = "\x68\xcb\x8c\xb2"
	key   = "\x00\x00\x00\x03\x65\x88\x84"
	inter = "\x00\x00\x00\x03\x41\x9a\x02"
	opus  = "\xfcabc" // 20 ms
)

func avcC() string {
	return "\x01\x42\xc0\x28\xff\xe1" + string([]byte{0, byte(len(sps))}) + sps + "\x01" + string([]byte{0, byte(len(pps))}) + pps
}

var (
	ebml  = el(idHeader, el(0x4282, "webm"))
	video = el(idTrackEntry, el(idTrackNumber, "\x01"), el(idTrackType, "\x01"), el(idCodecID, "V_MPEG4/ISO/AVC"), el(idCodecPrivate, avcC()))
	sound = el(idTrackEntry, el(idTrackNumber, "\x02"), el(idTrackType, "\x02"), el(idCodecID, "A_OPUS"), el(idAudio, el(idChannels, "\x02")))
)

// block is a SimpleBlock: flags with its lacing, a time from the cluster's.
func simple(track byte, at int16, flags byte, data ...string) string {
	return el(idSimpleBlock, blockOf(track, at, flags, data...))
}

func blockOf(track byte, at int16, flags byte, data ...string) string {
	return string([]byte{0x80 | track, byte(at >> 8), byte(at), flags}) + strings.Join(data, "")
}

func stamp(n uint64) string { return el(idTimestamp, num(n)) }

// told is [ingesttest.Told] of a stream.
func told(b string) string {
	return ingesttest.Told(NewReader(strings.NewReader(b), nil), originMillis)
}

func TestHowStreamsAreWritten(t *testing.T) {
	tracks := el(idTracks, video, sound)
	plain := stamp(0) + simple(1, 0, flagKey, key) + simple(2, 0, flagKey, opus) + simple(1, 40, 0, inter)
	const want = "k0 s0 i40"
	stripped := func(scope, typ, algo byte, prefix string) string {
		e := el(idEncodings, el(idEncoding, el(0x5031, "\x00"), el(idEncodingScope, string(scope)), el(idEncodingType, string(typ)),
			el(idCompression, el(idCompressionAlgo, string(algo)), el(idCompressionData, prefix))))
		return el(idTrackEntry, el(idTrackNumber, "\x01"), el(idTrackType, "\x01"), el(idCodecID, "V_MPEG4/ISO/AVC"), el(idCodecPrivate, avcC()), e)
	}
	entry := func(n, typ byte, codec string, more ...string) string {
		return el(idTrackEntry, el(idTrackNumber, string(n)), el(idTrackType, string(typ)), el(idCodecID, codec), strings.Join(more, ""))
	}
	for _, c := range []struct{ name, is, want string }{
		{"all sizes known", ebml + el(idSegment, tracks, el(idCluster, plain)), want},
		{"no size known", ebml + endless(idSegment, 8) + tracks + endless(idCluster, 8) + plain + endless(idCluster, 1) + stamp(100) + simple(2, 0, 0, opus), want + " s100"},
		{"no size known, in one byte", ebml + endless(idSegment, 1) + tracks + endless(idCluster, 1) + plain + el(idCues, "x") + endless(idCluster, 1) + stamp(80) + simple(2, 0, 0, opus), want + " s80"},
		{"a long cluster of no size, in one byte", ebml + endless(idSegment, 1) + tracks + endless(idCluster, 1) + plain + strings.Repeat(simple(9, 0, 0, opus), 20) + simple(2, 20, 0, opus), want + " s20"},
		{"another stream with the usual scale", ebml + endless(idSegment, 8) + el(idInfo, el(idTimestampScale, num(2_000_000))) + tracks + endless(idCluster, 8) + plain +
			ebml + endless(idSegment, 8) + tracks + endless(idCluster, 8) + stamp(100) + simple(2, 0, 0, opus), "k0 s0 i80 s100"},
		{"a segment that says that it is empty", ebml + el(idSegment) + tracks + el(idCluster, plain), want},
		{"what is to be passed over", ebml + el(idSegment, el(idSeekHead, "x"), el(idVoid, "xx"), tracks, el(idTags, el(idCRC, "abcd")), el(idChapters, "o"), el(idAttachments, strings.Repeat("f", 1<<20)), el(0x4dbb, "?"),
			el(idCluster, el(idCRC, "abcd"), el(0xa7, "\x01"), el(idVoid), el(0xab, "\x01"), plain), el(idCues, "x")), want},
		{"groups", ebml + el(idSegment, tracks, el(idCluster, stamp(0), el(idBlockGroup, el(idBlock, blockOf(1, 0, 0, key))), el(idBlockGroup, el(0x9b, "\x14"), el(idBlock, blockOf(2, 0, 0, opus)), el(0x75a2, "\x01")),
			el(idBlockGroup, el(idReference, "\xd8"), el(idBlock, blockOf(1, 40, 0, inter))))), want},
		{"times below the cluster's", ebml + el(idSegment, tracks, el(idCluster, stamp(1000), simple(1, -1000, flagKey, key), simple(2, -1000, 0, opus), simple(1, -960, 0, inter))), want},
		{"another scale", ebml + el(idSegment, el(idInfo, el(idTimestampScale, num(100_000))), tracks, el(idCluster, stamp(10), simple(1, 0, 0, key), simple(2, 5, 0, opus), simple(1, 400, 0, inter))), "k1 s2 i41"},
		{"a scale of 0", ebml + el(idSegment, el(idInfo, el(idTimestampScale, num(0))), tracks, el(idCluster, plain)), want},
		{"a delay", ebml + el(idSegment, el(idTracks, video, sound, entry(3, 2, "A_OPUS", el(idCodecDelay, num(6_500_000)), el(idFlagDefault, "\x01"))), el(idCluster, plain)), want},
		{"a delay of the first sound", ebml + el(idSegment, el(idTracks, video, entry(2, 2, "A_OPUS", el(idCodecDelay, num(26_500_000)))), el(idCluster, plain)), "k0 s-26 i40"},
		{"time below zero", ebml + el(idSegment, tracks, el(idCluster, stamp(0), simple(1, -400, 0, key), simple(2, -380, 0, opus))), "k-400 s-380"},
		{"a time that cannot be", ebml + el(idSegment, tracks, el(idCluster, plain), el(idCluster, stamp(1<<63), simple(2, 0, 0, opus), simple(1, 0, 0, inter))), want + " s20 i80"},
		{"parameter sets in the stream", ebml + el(idSegment, el(idTracks, entry(1, 1, "V_MPEG4/ISO/AVC"), sound), el(idCluster, stamp(0), simple(1, 0, flagKey, "\x00\x00\x00\x01"+sps+"\x00\x00\x00\x01"+pps+"\x00\x00\x01\x65\x88\x84"), simple(2, 0, 0, opus))), "k0 s0"},
		{"parameter sets in the stream, with lengths", ebml + el(idSegment, el(idTracks, entry(1, 1, "V_MPEG4/ISO/AVC"), sound), el(idCluster, stamp(0), simple(1, 0, flagKey, "\x00\x00\x00\x19"+sps+"\x00\x00\x00\x04"+pps+key), simple(2, 0, 0, opus))), "k0 s0"},
		{"beginnings stripped from frames", ebml + el(idSegment, el(idTracks, stripped(1, 0, 3, "\x00\x00\x00\x03"), sound), el(idCluster, stamp(0), simple(1, 0, 0, key[4:]), simple(2, 0, 0, opus), simple(1, 40, 0, inter[4:]))), want},
		{"only the configuration compressed", ebml + el(idSegment, el(idTracks, stripped(2, 0, 0, ""), sound), el(idCluster, plain)), want},
		{"compressed frames", ebml + el(idSegment, el(idTracks, stripped(1, 0, 0, ""), sound), el(idCluster, plain)), "the WebM has H.264 in compressed frames, which cannot be carried"},
		{"encrypted", ebml + el(idSegment, el(idTracks, stripped(1, 1, 0, ""), sound), el(idCluster, plain)), ErrEncrypted.Error()},
		{"sound that is not the default first", ebml + el(idSegment, el(idTracks, video, entry(3, 2, "A_OPUS", el(idFlagDefault, "\x00")), sound), el(idCluster, simple(3, 0, 0, opus), plain)), want},
		{"nothing is the default", ebml + el(idSegment, el(idTracks, entry(1, 1, "V_MPEG4/ISO/AVC", el(idCodecPrivate, avcC()), el(idFlagDefault, "\x00")), entry(2, 2, "A_OPUS", el(idFlagDefault, "\x00"))), el(idCluster, plain)), want},
		{"a track that is off first", ebml + el(idSegment, el(idTracks, entry(9, 1, "V_VP9", el(idFlagEnabled, "\x00")), video, sound), el(idCluster, plain)), want},
		{"a cover beside sound", ebml + el(idSegment, el(idTracks, entry(9, 1, "V_MJPEG"), sound), el(idCluster, plain)), "s0"},
		{"pictures that are not carried", el(idHeader) + el(idSegment, el(idTracks, entry(1, 1, "V_VP8"), entry(2, 2, "A_VORBIS")), el(idCluster, plain)), "the Matroska has VP8 and Vorbis, which cannot be carried"},
		{"a stranger's codec", el(idHeader) + el(idSegment, el(idTracks, entry(1, 1, "V_\x1b[2J\u202eX"))), "the Matroska has V_\ufffd[2J\ufffdX, which cannot be carried"},
		{"subtitles alone", ebml + el(idSegment, el(idTracks, entry(1, 17, "S_TEXT/UTF8")), el(idCluster, plain)), "the WebM has neither video nor sound"},
		{"no tracks", ebml + el(idSegment, el(idCluster, plain)), ErrNoTracks.Error()},
		{"nothing behind the tracks", ebml + el(idSegment, tracks), ErrNothing.Error()},
		{"cut off in a block", (ebml + el(idSegment, tracks, el(idCluster, plain, simple(1, 80, 0, inter))))[:len(ebml+el(idSegment, tracks, el(idCluster, plain)))+8], want + " unexpected EOF"},
		{"damaged in the middle", ebml + endless(idSegment, 8) + tracks + el(idCluster, plain) + strings.Repeat("\x00garbage", 100_000) + el(idCluster, stamp(80), simple(1, 0, flagKey, key), simple(2, 0, 0, opus)), want + " k80 s80"},
		{"a block that goes beyond its cluster", ebml + endless(idSegment, 8) + tracks + el(idCluster, plain, head(idSimpleBlock)+"\x10\x00\xff\xff\x81") + el(idCluster, stamp(80), simple(1, 0, flagKey, key), simple(2, 0, 0, opus)), want + " k80 s80"},
		{"streams one behind the other", strings.Repeat(ebml+endless(idSegment, 8)+tracks+endless(idCluster, 8)+plain, 2), want + " " + want},
	} {
		if got := told(c.is); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLaces(t *testing.T) {
	long := strings.Repeat("x", 600)
	for _, c := range []struct {
		name   string
		flags  byte
		data   string
		frames []string // nil: it is none
	}{
		{"none", 0, "abc", []string{"abc"}},
		{"none, empty", 0, "", []string{""}},
		{"Xiph", laceXiph << 1, "\x02\x01\x02" + "a" + "bc" + "def", []string{"a", "bc", "def"}},
		{"Xiph, long", laceXiph << 1, "\x01\xff\xff\x5a" + long + "z", []string{long, "z"}},
		{"Xiph, 255", laceXiph << 1, "\x01\xff\x00" + long[:255] + "z", []string{long[:255], "z"}},
		{"Xiph, beyond", laceXiph << 1, "\x01\x05abc", nil},
		{"Xiph, no end", laceXiph << 1, "\x01\xff\xff", nil},
		{"fixed", laceFixed << 1, "\x02abcdef", []string{"ab", "cd", "ef"}},
		{"fixed, uneven", laceFixed << 1, "\x02abcdefg", nil},
		{"EBML", laceEBML << 1, "\x03\x82\xc0\xbe" + "ab" + "cde" + "fg" + "h", []string{"ab", "cde", "fg", "h"}},
		{"EBML, long", laceEBML << 1, "\x02\x42\x58\x5f\xf0" + long + long[:585] + "z", []string{long, long[:585], "z"}},
		{"EBML, all ones are a size", laceEBML << 1, "\x01\xff" + long[:127] + "z", []string{long[:127], "z"}},
		{"EBML, below zero", laceEBML << 1, "\x02\x81\x80abc", nil},
		{"EBML, beyond", laceEBML << 1, "\x01\x88abc", nil},
		{"EBML, 56 bits", laceEBML << 1, "\x01\x01\xff\xff\xff\xff\xff\xff\xfeabc", nil},
		{"a lace of nothing", laceXiph << 1, "", nil},
		{"a lace of one", laceEBML << 1, "\x00abc", []string{"abc"}},
		{"256 frames of nothing", laceFixed << 1, "\xff", make([]string, 256)},
	} {
		k, ok := parseBlock([]byte(blockOf(2, -3, c.flags|flagKey, c.data)), nil)
		var got []string
		for _, f := range k.frames {
			got = append(got, string(f))
		}
		if ok != (c.frames != nil) || ok && (!slices.Equal(got, c.frames) || k.track != 2 || k.time != -3 || !k.key) {
			t.Errorf("%s: %v %+v", c.name, ok, k)
		}
	}
	// Of frames in a lace only the first has a time: the others follow by how long each is.
	b := ebml + el(idSegment, el(idTracks, sound), el(idCluster, stamp(5), simple(2, 0, laceFixed<<1, "\x02"+opus+opus+opus), simple(2, 60, 0, opus)))
	if got := told(b); got != "s5 s25 s45 s65" {
		t.Error(got)
	}
}

// zeros are a stream's longest part, which nobody keeps.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	if z.left -= int64(n); n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestFontsCostNoMemory(t *testing.T) {
	const size = 300 << 20
	front := ebml + endless(idSegment, 8) + el(idTracks, video, sound) + head(idAttachments) + "\x01" + num(size)[1:]
	r := NewReader(io.MultiReader(strings.NewReader(front), &zeros{size}, strings.NewReader(el(idCluster, stamp(0), simple(1, 0, 0, key), simple(2, 0, 0, opus)))), nil)
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := r.Next(); err != nil && err != io.EOF {
			t.Error(err)
		}
	})
	if allocated > 200 || r.Stats().Blocks != 2 || cap(r.buf) > 1<<20 {
		t.Errorf("%v allocations, a buffer of %d bytes, %+v", allocated, cap(r.buf), r.Stats())
	}
}

func TestWhatIsTold(t *testing.T) {
	var heard []string
	hears := func(what convert.Trouble, which string) { heard = append(heard, string(what)+" "+which) }
	flac := el(idTrackEntry, el(idTrackNumber, "\x02"), el(idTrackType, "\x02"), el(idCodecID, "A_FLAC"))
	r := NewReader(strings.NewReader(ebml+endless(idSegment, 8)+el(idTracks, video, flac)+el(idCluster, simple(1, 0, 0, key))+"\x00"+el(idCluster, stamp(40), simple(1, 0, 0, key))), hears)
	for {
		if _, err := r.Next(); err != nil {
			break
		}
	}
	if want := []string{"unheard FLAC", "damaged "}; !slices.Equal(heard, want) || r.Stats().Damaged != 1 {
		t.Errorf("heard %q, want %q; %+v", heard, want, r.Stats())
	}
	_, err := NewReader(strings.NewReader(ebml+el(idSegment, el(idTracks, flac))), nil).Next()
	if !errors.Is(err, convert.ErrNotCarried) {
		t.Error(err)
	}
	var of *sample.CodecError
	if !errors.As(err, &of) || !slices.Equal(of.Has, []string{"FLAC"}) {
		t.Error(err)
	}
}

func TestALengthIsNotBelievedUntilItHasCome(t *testing.T) {
	for name, b := range map[string]string{
		"a block of 10 MiB":     ebml + endless(idSegment, 8) + el(idTracks, video) + endless(idCluster, 8) + head(idSimpleBlock) + "\x10\xa0\x00\x00\x81\x00\x00\x80",
		"tracks of 4 MiB":       ebml + endless(idSegment, 8) + head(idTracks) + "\x10\x40\x00\x00abc",
		"a segment of 2^56":     ebml + head(idSegment) + "\x01\xff\xff\xff\xff\xff\xff\xfe" + el(idTracks, video),
		"attachments of 2^56":   ebml + endless(idSegment, 8) + el(idTracks, video) + head(idAttachments) + "\x01\xff\xff\xff\xff\xff\xff\xfe",
		"a header of 64 KiB":    head(idHeader) + "\x10\x01\x00\x00",
		"a block of a TiB":      ebml + endless(idSegment, 8) + el(idTracks, video) + endless(idCluster, 8) + head(idSimpleBlock) + "\x01\x00\x01\x00\x00\x00\x00\x00\x81\x00\x00\x80",
		"an element of no kind": ebml + endless(idSegment, 8) + el(idTracks, video) + "\x42\x42\x01\x00\x01\x00\x00\x00\x00\x00",
	} {
		if got := ingesttest.Allocated(func() { readQuietly([]byte(b)) }); got > 1<<20 {
			t.Errorf("%s: %d bytes are allocated for %d", name, got, len(b))
		}
	}
	if !bytes.HasPrefix([]byte(ebml), []byte("\x1a\x45\xdf\xa3")) || !Sniff([]byte(ebml)) || Sniff([]byte("FLV\x01")) || Sniff(nil) {
		t.Error("it is not known by its beginning")
	}
}
