package flv

// Names of codecs, as status pages and logs show them. An unknown codec is "",
// and passes like any other.
const (
	h264 = "h264"
	hevc = "hevc"
	av1  = "av1"
	aac  = "aac"
	mp3  = "mp3"
)

// Legacy codec IDs whose tags carry a packet type.
const (
	legacyAVC  = 7
	legacyHEVC = 12 // never specified by Adobe, in wide use
	legacyAV1  = 13 // likewise
	legacyAAC  = 10
)

// legacyVideo names the CodecID of a video tag (annex E.4.3.1).
var legacyVideo = map[byte]string{
	2:          "h263",
	3:          "flashsv",
	4:          "vp6",
	5:          "vp6a",
	6:          "flashsv2",
	legacyAVC:  h264,
	legacyHEVC: hevc,
	legacyAV1:  av1,
}

// legacyAudio names the SoundFormat of an audio tag (annex E.4.2.1).
var legacyAudio = map[byte]string{
	0:         "pcm",
	1:         "adpcm",
	2:         mp3,
	3:         "pcm",
	4:         "nellymoser",
	5:         "nellymoser",
	6:         "nellymoser",
	7:         "g711a",
	8:         "g711u",
	legacyAAC: aac,
	11:        "speex",
	14:        mp3,
}

// fourCCs names the codecs of enhanced RTMP.
var fourCCs = map[string]string{
	"avc1": h264,
	"hvc1": hevc,
	"vvc1": "vvc",
	"av01": av1,
	"vp08": "vp8",
	"vp09": "vp9",
	"mp4a": aac,
	"Opus": "opus",
	"fLaC": "flac",
	"ac-3": "ac3",
	"ec-3": "eac3",
	".mp3": mp3,
}
