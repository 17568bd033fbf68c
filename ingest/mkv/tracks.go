package mkv

import (
	"strings"

	"relay/ingest/convert"
	"relay/ingest/sample"
)

// mostTracks bounds the tracks that are looked at.
const mostTracks = 64

// Types of tracks.
const (
	typeVideo = 1
	typeSound = 2
)

// track is what is said of one.
type track struct {
	number            uint64
	typ               uint64
	enabled, default_ bool
	codecID           string
	private           []byte
	delay             uint64 // ns
	rate              float64
	channels          uint64

	prefix    []byte // stripped from each frame
	squeezed  bool   // frames are compressed otherwise
	encrypted bool
}

// parseTracks reads the list of tracks. What it returns shares the memory of b.
func parseTracks(b []byte) (all []track) {
	for e := (elements{rest: b}); e.next(); {
		id, entry := e.id, e.body
		if id == idTrackEntry && len(all) < mostTracks {
			all = append(all, parseTrack(entry))
		}
	}
	return all
}

func parseTrack(b []byte) track {
	t := track{enabled: true, default_: true, rate: 8000, channels: 1} // what is not said is that
	for e := (elements{rest: b}); e.next(); {
		id, v := e.id, e.body
		switch id {
		case idTrackNumber:
			t.number = number(v)
		case idTrackType:
			t.typ = number(v)
		case idFlagEnabled:
			t.enabled = number(v) != 0
		case idFlagDefault:
			t.default_ = number(v) != 0
		case idCodecID:
			t.codecID = strings.TrimRight(string(v[:min(len(v), 64)]), "\x00")
		case idCodecPrivate:
			t.private = v
		case idCodecDelay:
			t.delay = number(v)
		case idAudio:
			for e := (elements{rest: v}); e.next(); {
				id, v := e.id, e.body
				switch id {
				case idSampling:
					t.rate = float(v)
				case idChannels:
					t.channels = number(v)
				}
			}
		case idEncodings:
			for e := (elements{rest: v}); e.next(); {
				id, v := e.id, e.body
				if id == idEncoding {
					t.encoding(v)
				}
			}
		}
	}
	return t
}

// encoding reads what was done to a track's frames.
func (t *track) encoding(b []byte) {
	const (
		ofFrames    = 1 // a bit of the scope
		encryption  = 1 // a type
		stripping   = 3 // an algorithm of compression
		mostPrefix  = 1024
		compression = 0
	)
	scope, typ, algo, prefix := uint64(ofFrames), uint64(compression), uint64(0), []byte(nil)
	for e := (elements{rest: b}); e.next(); {
		id, v := e.id, e.body
		switch id {
		case idEncodingScope:
			scope = number(v)
		case idEncodingType:
			typ = number(v)
		case idCompression:
			for e := (elements{rest: v}); e.next(); {
				id, v := e.id, e.body
				switch id {
				case idCompressionAlgo:
					algo = number(v)
				case idCompressionData:
					prefix = v
				}
			}
		}
	}
	switch {
	case scope&ofFrames == 0:
	case typ == encryption:
		t.encrypted = true
	case algo == stripping && t.prefix == nil && len(prefix) <= mostPrefix:
		t.prefix = prefix
	default:
		t.squeezed = true
	}
}

// formatOf is the codec of an ID; of those of sound, only the beginning is looked at.
func formatOf(id string) convert.Format {
	switch id {
	case "V_MPEG4/ISO/AVC":
		return convert.H264
	case "V_MPEGH/ISO/HEVC":
		return convert.HEVC
	case "V_AV1":
		return convert.AV1
	case "V_VP9":
		return convert.VP9
	}
	switch kind, _, _ := strings.Cut(id[min(len(id), 2):], "/"); {
	case !strings.HasPrefix(id, "A_"):
	case kind == "AAC":
		return convert.AAC
	case kind == "OPUS":
		return convert.Opus
	case kind == "AC3":
		return convert.AC3
	case kind == "EAC3":
		return convert.EAC3
	case id == "A_MPEG/L3":
		return convert.MP3
	}
	return convert.None
}

// names are those of codecs, for people, by how their IDs begin.
const names = `
V_MPEG4/ISO/AVC=H.264 V_MPEG4/ISO=MPEG-4·part·2 V_MPEGH=HEVC V_AV1=AV1 V_VP9=VP9 V_VP8=VP8 V_MPEG1=MPEG-1·video V_MPEG2=MPEG-2·video
V_MJPEG=Motion·JPEG V_PRORES=ProRes V_THEORA=Theora V_FFV1=FFV1 V_MS/VFW=video·of·AVI
A_OPUS=Opus A_AC3=AC-3 A_EAC3=E-AC-3 A_MPEG/L3=MP3 A_MPEG/L=MP2·sound A_VORBIS=Vorbis A_FLAC=FLAC A_PCM=PCM·sound A_DTS=DTS·sound
A_TRUEHD=TrueHD A_ALAC=ALAC A_AAC=AAC·of·a·rare·kind`

// codec is how a track is coded. It reports false, and a name, for what is not carried.
func (t *track) codec() (c sample.Codec, name string, ok bool) {
	name = sample.Name(names, t.codecID)
	if t.squeezed {
		return c, name + " in compressed frames", false
	}
	switch f := formatOf(t.codecID); {
	case f == convert.None:
		return c, name, false
	case f.Pictures():
		c, ok = sample.Pictures(f, t.private), true
	case f == convert.AAC:
		c, ok = sample.AAC(t.private, int(min(max(t.rate, 0), 1<<20)), int(min(t.channels, 8)))
	default:
		channels := int(min(t.channels, 255))
		const head, at = "OpusHead", 9 // RFC 7845, 5.1
		if len(t.private) > at && string(t.private[:len(head)]) == head {
			channels = int(t.private[at])
		}
		c, ok = sample.Sound(f, channels), true
	}
	c.Prefix = t.prefix
	return c, name, ok
}

// chosen is the track of a type that is taken: the first whose codec is carried, of those that are
// enabled and meant to be played by default if there are such. Others are the names of those that are
// not carried. A cover is no video.
func chosen(all []track, typ uint64) (best *track, codec sample.Codec, others []string) {
	rank := func(t *track) int {
		switch {
		case t.enabled && t.default_:
			return 2
		case t.enabled:
			return 1
		}
		return 0
	}
	for i := range all {
		t := &all[i]
		if t.typ != typ || t.number == 0 {
			continue
		}
		c, name, ok := t.codec()
		switch {
		case !ok && t.codecID != "V_MJPEG":
			others = append(others, name)
		case ok && (best == nil || rank(t) > rank(best)):
			best, codec = t, c
		}
	}
	return best, codec, others
}
