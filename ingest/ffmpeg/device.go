package ffmpeg

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"relay/relay/oneline"
)

// Kind is what a device gives.
type Kind string

// Kinds of devices.
const (
	Camera     Kind = "camera"
	Microphone Kind = "microphone"
	Screen     Kind = "screen"
)

// Device is something that films or hears.
type Device struct {
	Kind Kind
	Name string // for people, printable
	ID   string // for ffmpeg
	// Plays marks a microphone that hears what this machine plays.
	Plays bool
	// Via is the system of sound that has a microphone: "pulse" or "alsa", on Linux alone.
	Via string
}

// System is what there is on this machine to film and to hear with.
type System struct {
	OS      string // as runtime.GOOS
	Devices []Device
	// Display is that of X11, on Linux and its like; "" for none.
	Display string
	// Wayland says that the desktop is one of Wayland's, of which ffmpeg gets nothing.
	Wayland bool
}

// Of returns the devices of a kind, in their order.
func (s System) Of(k Kind) []Device {
	var all []Device
	for _, d := range s.Devices {
		if d.Kind == k {
			all = append(all, d)
		}
	}
	return all
}

// ErrWayland says that the screen cannot be had.
var ErrWayland = errors.New("on Wayland only programs that you allow may film the screen, and ffmpeg is none")

// PickError says that no device, or more than one, is what was asked for.
type PickError struct {
	Kind  Kind
	Wish  string   // "" if any would do
	Names []string // of those that there are, or those that are meant
}

func (e *PickError) Error() string {
	switch {
	case len(e.Names) == 0 && e.Kind == Screen:
		return "there is no screen here"
	case len(e.Names) == 0:
		return fmt.Sprintf("this machine has no %s", e.Kind)
	}
	return fmt.Sprintf("no %s, or more than one, is called %s", e.Kind, oneline.Quote(e.Wish))
}

// pick returns the device that is wished: by its number, from 0; its name; or a part of that which only one has. An
// empty wish is the first.
func (s System) pick(k Kind, wish string) (Device, error) {
	all := s.Of(k)
	no := &PickError{Kind: k, Wish: wish}
	for _, d := range all {
		no.Names = append(no.Names, d.Name)
	}
	if len(all) == 0 {
		return Device{}, no
	}
	if n, err := strconv.Atoi(wish); err == nil {
		if n >= 0 && n < len(all) {
			return all[n], nil
		}
		return Device{}, no
	}
	var found []Device
	for _, d := range all {
		if strings.EqualFold(d.Name, wish) || d.ID == wish {
			return d, nil
		}
		if strings.Contains(strings.ToLower(d.Name), strings.ToLower(wish)) {
			found = append(found, d)
		}
	}
	if wish == "" || len(found) == 1 {
		return append(found, all...)[0], nil
	}
	return Device{}, no
}
