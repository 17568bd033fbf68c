// Package castto has a Chromecast play a channel of the relay that runs on this machine (relay cast). How devices are
// found and spoken with is in playback/cast.
package castto
