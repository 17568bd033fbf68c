package playback

import (
	"strings"

	"relay/ingest/flv"
	"relay/playback/remux"
)

// format is one of the containers that a channel can be had in.
type format struct {
	Form
	suffix string // of the path
	mime   string
}

// TS is MPEG-TS, which several outputs share.
var TS = Form{Name: "ts", New: func() Container { return remux.NewTS() }, Whole: true}

// formats are all of them. The first, FLV, is the one that loses nothing.
var formats = []*format{
	{flvForm, ".flv", "video/x-flv"},
	{Form{Name: "mp4", New: func() Container { return remux.NewMP4() }, Joins: true}, ".mp4", "video/mp4"},
	{TS, ".ts", "video/mp2t"},
}

// formatOf cuts a format's suffix off a path. It returns nil if there is none.
func formatOf(path string) (name string, f *format) {
	for _, f := range formats {
		if name, ok := strings.CutSuffix(path, f.suffix); ok {
			return name, f
		}
	}
	return path, nil
}

// check reports why what begins with that batch cannot be had in the container, as far as it
// tells.
func (f *format) check(b flv.Batch) error {
	_, err := f.New().Convert(b)
	return err
}
