package playback

import (
	"strings"

	"relay/ingest/flv"
	"relay/playback/remux"
)

// format is one of the containers that a channel can be had in.
type format struct {
	suffix string // of the path
	mime   string
	// new returns what turns one reader's tags into the container; nil for FLV.
	new func() flv.Converter
}

// formats are all of them. The first, FLV, is the one that loses nothing.
var formats = []*format{
	{suffix: ".flv", mime: "video/x-flv"},
	{suffix: ".mp4", mime: "video/mp4", new: func() flv.Converter { return remux.NewMP4().Convert }},
	{suffix: ".ts", mime: "video/mp2t", new: func() flv.Converter { return remux.NewTS().Convert }},
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

// converter returns what turns one reader's tags into the container.
func (f *format) converter() flv.Converter {
	if f == nil || f.new == nil {
		return flv.AsFLV
	}
	return f.new()
}

// check reports why what begins with that batch cannot be had in the container, as far as it
// tells.
func (f *format) check(b flv.Batch) error {
	_, err := f.converter()(b)
	return err
}
