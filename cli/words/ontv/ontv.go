// Package ontv has what people are told of their TVs, and TVs of a node.
package ontv

import (
	"fmt"

	"relay/cli/words"
	"relay/ingest/flv"
	"relay/playback/api"
)

// Unfit says why TVs are not told of a channel.
func Unfit(c api.Channel) string {
	if c.Codec.Video == "" {
		return fmt.Sprintf("TVs are not told of channel %s, which has no pictures.", c.Name)
	}
	has := words.Codecs(flv.Info{HasVideo: true, HasAudio: c.Codec.Audio != "", VideoCodec: c.Codec.Video, AudioCodec: c.Codec.Audio})
	return fmt.Sprintf("TVs are not told of channel %s: it has %s, and they play H.264 or HEVC with AAC or MP3.", c.Name, has)
}

// Name is what TVs call a node by its name, or its machine's unless that is hidden.
func Name(name, host string, hide bool) string {
	switch {
	case name != "":
		return "relay " + name
	case host != "" && !hide:
		return "relay " + host
	}
	return "relay"
}
