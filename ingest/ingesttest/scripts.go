package ingesttest

import (
	"bytes"
	"slices"

	"relay/ingest/flv"
)

// scripts are encoders with other script data than a stream should have: one onMetaData, an
// object or an ECMA array, before its media.
func scripts(clip []flv.Tag) []Encoder {
	media := where(clip, func(t flv.Tag) bool { return t.Type() != flv.Script })
	name := "\x02\x00\x0aonMetaData"
	number := "\x00\x40\x3e\x00\x00\x00\x00\x00\x00" // 30, in AMF 0
	end := "\x00\x00\x09"
	object := name + "\x03\x00\x09framerate" + number + end
	texts := counted("cue points, captions and texts", beforeKeys(media,
		script(0, "\x02\x00\x0aonCuePoint\x03\x00\x04name\x02\x00\x01x"+end),
		script(0, "\x02\x00\x0donCaptionInfo\x03\x00\x04type\x02\x00\x03708"+end),
		script(0, "\x02\x00\x0aonTextData\x03\x00\x04text\x02\x00\x02hi"+end),
		script(0, ""), script(0, "\x02"), script(0, "\xff\xff"), script(0, "@setDataFrame")))
	cut, large := counted("metadata that end in the middle", slices.Concat([]flv.Tag{script(0, object[:20])}, media)),
		counted("metadata of 60 kB", slices.Concat([]flv.Tag{script(0, name+"\x03\x00\x04tags\x0c\x00\x00\xea\x60"+string(bytes.Repeat([]byte("x"), 60_000))+end)}, media))
	cut.Faulty, large.Faulty = true, true
	return []Encoder{
		cut, large, texts,
		counted("metadata before each key frame", beforeKeys(media, script(0, object))),
		counted("no metadata", media),
		counted("metadata that are an object", slices.Concat([]flv.Tag{script(0, object)}, media)),
		counted("metadata that are a strict array", slices.Concat([]flv.Tag{script(0, name+"\x0a\x00\x00\x00\x01"+number)}, media)),
		counted("metadata that say there are 240 pictures a second", slices.Concat([]flv.Tag{script(0, name+"\x03\x00\x09framerate\x00\x40\x6e\x00\x00\x00\x00\x00\x00"+end)}, media)),
	}
}

func script(ts uint32, body string) flv.Tag { return flv.NewTag(flv.Script, ts, []byte(body)) }

// beforeKeys puts tags in front of each key frame.
func beforeKeys(clip []flv.Tag, more ...flv.Tag) (tags []flv.Tag) {
	for _, t := range clip {
		if isKey(t) {
			for _, m := range more {
				tags = append(tags, at(t.Timestamp(), m))
			}
		}
		tags = append(tags, t)
	}
	return tags
}
