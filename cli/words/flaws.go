package words

import (
	"relay/cli/term"
	"relay/ingest/flv"
)

// flawWord says what is wrong with tags, to people.
type flawWord struct {
	flaw      flv.Flaw
	one, many string
	hint      string
}

const (
	flawHint       = `now and then it does no harm. If it goes on, update the encoder or choose another one (OBS: Settings > Output > Streaming > Video Encoder, Audio Encoder), and look at the connection to it`
	startCodesHint = `they are not what FLV has, so nobody can see them. Have the encoder send H.264 (OBS: Settings > Output > Streaming > Video Encoder), or choose another one`
	badConfigVideo = `there is no picture until the encoder sends a right one, so stop it and start it again. If that does not help, choose another one (OBS: Settings > Output > Streaming > Video Encoder)`
	badConfigSound = `there is no sound until the encoder sends a right one, so stop it and start it again. If that does not help, choose another one (OBS: Settings > Output > Streaming > Audio Encoder)`
)

// flawWords are in the order in which they are shown.
var flawWords = []flawWord{
	{flv.BadVideoConfig, "video configuration that is malformed", "video configurations that are malformed", badConfigVideo},
	{flv.BadSoundConfig, "audio configuration that is malformed", "audio configurations that are malformed", badConfigSound},
	{flv.EmptyPicture, "empty picture", "empty pictures", flawHint},
	{flv.CutPicture, "picture cut short", "pictures cut short", flawHint},
	{flv.StartCodes, "picture with start codes (Annex B)", "pictures with start codes (Annex B)", startCodesHint},
	{flv.EmptySound, "empty audio frame", "empty audio frames", flawHint},
	{flv.CutSound, "audio frame cut short", "audio frames cut short", flawHint},
}

// droppedText counts all that was left out, in short; "" if nothing was.
func droppedText(dropped map[string]uint64) string {
	var kinds []string
	all := uint64(0)
	for _, w := range flawWords {
		if n := dropped[string(w.flaw)]; n > 0 {
			kinds, all = append(kinds, w.counted(n)), all+n
		}
	}
	switch len(kinds) {
	case 0:
		return ""
	case 1:
		return "dropped " + kinds[0]
	}
	return "dropped " + term.Counted(int64(all), "tag")
}

func (w flawWord) counted(n uint64) string { return term.Plural(int(n), w.one, w.many) }
