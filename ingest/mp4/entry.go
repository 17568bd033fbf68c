package mp4

import (
	"encoding/binary"

	"relay/ingest/convert"
	"relay/ingest/sample"
)

// entry is how some of a track's samples are coded.
type entry struct {
	codec     sample.Codec
	name      string // for people, of what is not carried
	ok        bool   // it is carried
	encrypted bool
	cover     bool // a picture that stands still
}

const (
	// mostEntries bounds the entries of a track that are looked at.
	mostEntries = 16
	// Lengths of what is in front of the boxes in an entry, in bytes, behind its type. Sound of QuickTime
	// has more.
	videoHead, soundHead, soundHead1, soundHead2 = 78, 28, 44, 64
)

// videoFormat is the codec of an entry's type, and the box that has the configuration.
func videoFormat(typ string) (convert.Format, string) {
	switch typ {
	case "avc1", "avc3", "avc2", "avc4", "dva1", "dvav":
		return convert.H264, "avcC"
	case "hvc1", "hev1", "dvh1", "dvhe":
		return convert.HEVC, "hvcC"
	case "av01":
		return convert.AV1, "av1C"
	case "vp09":
		return convert.VP9, "vpcC"
	}
	return convert.None, ""
}

// names are those of codecs that are not carried, by how the types of their entries begin.
const names = `mp4v=MPEG-4·part·2 s263=H.263 h263=H.263 H263=H.263 vp08=VP8 ap=ProRes AV=DNxHD dvc=DV dv5=DV mjp=Motion·JPEG
mpg2=MPEG-2·video m2v1=MPEG-2·video hdv=MPEG-2·video xdv=MPEG-2·video vvc1=VVC vvi1=VVC SVQ=Sorenson·video
twos=PCM·sound sowt=PCM·sound lpcm=PCM·sound ipcm=PCM·sound fpcm=PCM·sound in24=PCM·sound in32=PCM·sound fl32=PCM·sound raw=PCM·sound NONE=PCM·sound
alac=ALAC fLaC=FLAC samr=AMR sawb=AMR ulaw=G.711·sound alaw=G.711·sound dts=DTS·sound mlpa=TrueHD ac-4=AC-4`

// isCover reports whether entries of a type are pictures that stand still.
func isCover(typ string) bool {
	return typ == "jpeg" || typ == "png " || typ == "tiff" || typ == "gif "
}

// parseEntries reads the descriptions of a track's samples (stsd).
func parseEntries(b []byte, video bool) (all []entry) {
	const head = 8
	if len(b) < head {
		return nil
	}
	within(b[head:], func(typ string, body []byte) {
		if len(all) == mostEntries {
			return
		}
		if video {
			all = append(all, videoEntry(typ, body))
		} else {
			all = append(all, soundEntry(typ, body))
		}
	})
	return all
}

func videoEntry(typ string, b []byte) entry {
	e := entry{name: sample.Name(names, typ), encrypted: typ == "encv", cover: isCover(typ)}
	if len(b) < videoHead {
		return e
	}
	format, box := videoFormat(typ)
	var record []byte
	within(b[videoHead:], func(t string, body []byte) {
		switch {
		case t == box:
			record = body
		case t == "esds" && typ == "mp4v" && len(body) > fullHead:
			kind, _ := parseES(body[fullHead:])
			e.cover = kind == esJPEG || kind == esPNG
		}
	})
	if e.ok = format != convert.None; e.ok {
		e.codec = sample.Pictures(format, record)
	}
	return e
}

// fullHead is how long version and flags of a box are, in bytes.
const fullHead = 4

func soundEntry(typ string, b []byte) entry {
	e := entry{name: sample.Name(names, typ), encrypted: typ == "enca"}
	if len(b) < soundHead {
		return e
	}
	channels, rate := int(binary.BigEndian.Uint16(b[16:])), int(be32(b, 24)>>16)
	head := soundHead
	switch binary.BigEndian.Uint16(b[8:]) { // the version is QuickTime's alone
	case 1:
		head = soundHead1
	case 2:
		head = soundHead2
	}
	var es, opus, wave []byte
	find := func(typ string, body []byte) {
		switch typ {
		case "esds":
			es = body
		case "dOps":
			opus = body
		case "wave":
			wave = body
		}
	}
	within(b[min(head, len(b)):], find)
	if es == nil && opus == nil && wave == nil { // a version in a file that is not QuickTime's says nothing
		within(b[soundHead:], find)
	}
	within(wave, find)
	switch typ {
	case "mp4a":
		kind, config := byte(esAAC), []byte(nil)
		if len(es) > fullHead {
			kind, config = parseES(es[fullHead:])
		}
		e.mp4a(kind, config, rate, channels)
	case ".mp3", "ms\x00\x55":
		e.codec, e.ok = sample.Sound(convert.MP3, 0), true
	case "ac-3", "sac3":
		e.codec, e.ok = sample.Sound(convert.AC3, 0), true
	case "ec-3":
		e.codec, e.ok = sample.Sound(convert.EAC3, 0), true
	case "Opus":
		if len(opus) > 1 {
			channels = int(opus[1])
		}
		e.codec, e.ok = sample.Sound(convert.Opus, channels), true
	}
	return e
}

// Kinds of elementary streams (ISO/IEC 14496-1, 7.2.6.6, and mp4ra.org).
const (
	esAAC                = 0x40
	esAAC2First, esAAC2  = 0x66, 0x68 // of MPEG-2
	esMPEG2Sound, esMPEG = 0x69, 0x6b
	esJPEG, esPNG        = 0x6c, 0x6d
	esAC3, esEAC3        = 0xa5, 0xa6
	esDTSFirst, esDTS    = 0xa9, 0xac
	esOpus, esVorbis     = 0xad, 0xdd
)

// mp4a is sound that an elementary stream's descriptor tells.
func (e *entry) mp4a(kind byte, config []byte, rate, channels int) {
	switch {
	case kind == esAAC || kind >= esAAC2First && kind <= esAAC2:
		e.name = "AAC of a rare kind"
		e.codec, e.ok = sample.AAC(config, rate, channels)
	case kind == esMPEG || kind == esMPEG2Sound:
		e.codec, e.ok = sample.Sound(convert.MP3, 0), true
	case kind == esAC3:
		e.codec, e.ok = sample.Sound(convert.AC3, 0), true
	case kind == esEAC3:
		e.codec, e.ok = sample.Sound(convert.EAC3, 0), true
	case kind == esOpus:
		e.codec, e.ok = sample.Sound(convert.Opus, channels), true
	case kind == esVorbis:
		e.name = "Vorbis"
	case kind >= esDTSFirst && kind <= esDTS:
		e.name = "DTS sound"
	}
}

// parseES reads what an elementary stream's descriptor says: its kind, and the decoder's configuration
// (ISO/IEC 14496-1, 7.2.6).
func parseES(b []byte) (kind byte, config []byte) {
	const (
		tagES, tagConfig, tagSpecific = 3, 4, 5
		depends, hasURL, hasOCR       = 0x80, 0x40, 0x20
		esHead, configHead            = 3, 13
	)
	tag, b, _ := descriptor(b)
	if tag == tagES {
		if len(b) < esHead {
			return 0, nil
		}
		flags := b[2]
		b = b[esHead:]
		skip := 0
		if flags&depends != 0 {
			skip += 2
		}
		if flags&hasURL != 0 && len(b) > skip {
			skip += 1 + int(b[skip])
		}
		if flags&hasOCR != 0 {
			skip += 2
		}
		tag, b, _ = descriptor(b[min(skip, len(b)):])
	}
	if tag != tagConfig || len(b) < configHead {
		return 0, nil
	}
	kind, b = b[0], b[configHead:]
	for len(b) > 0 {
		var body []byte
		if tag, body, b = descriptor(b); tag == tagSpecific {
			return kind, body
		}
	}
	return kind, nil
}

// descriptor reads one, whose length has 7 bits in each byte; tag is 0 if there is none.
func descriptor(b []byte) (tag byte, body, rest []byte) {
	if len(b) < 2 {
		return 0, nil, nil
	}
	tag, b = b[0], b[1:]
	n := 0
	for i := 0; i < 4 && len(b) > 0; i++ {
		c := b[0]
		b = b[1:]
		if n = n<<7 | int(c&0x7f); c&0x80 == 0 {
			break
		}
	}
	n = min(n, len(b))
	return tag, b[:n], b[n:]
}
