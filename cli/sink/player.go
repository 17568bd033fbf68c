package sink

import (
	"context"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"relay/cli/fault"
	"relay/ingest/flv"
	"relay/playback"
)

// players are the programs that --player starts, each with the flags that keep it close to
// live. Without -analyzeduration ffplay reads 5 s of MPEG-TS before it begins.
var players = map[string][]string{
	"vlc":    {"vlc", "--network-caching=300", "--quiet"},
	"mpv":    {"mpv", "--profile=low-latency", "--really-quiet"},
	"ffplay": {"ffplay", "-loglevel", "error", "-fflags", "nobuffer", "-flags", "low_delay", "-framedrop", "-analyzeduration", "500000"},
}

// Player is a program that shows the stream.
type Player struct {
	Name string
	args []string // args[0] is the program
}

// Find returns the player with that name. Check looks whether the machine has it.
func Find(name string) (Player, error) {
	args, ok := players[strings.ToLower(name)]
	if !ok {
		return Player{}, fault.Usage("--player takes vlc, mpv or ffplay; others can open the address that relay prints", "there is no player %q to start", name)
	}
	return Player{strings.ToLower(name), args}, nil
}

// check reports whether the machine has the player.
func (p Player) check() error {
	if _, err := exec.LookPath(p.args[0]); err != nil {
		return fault.Fail("install it, or leave --player out and open the address that relay prints", "%s is not installed, or not in PATH", p.args[0])
	}
	return nil
}

// Suffix returns the end of the address, such as ".mp4", at which the player plays the stream best.
func (p Player) Suffix(info flv.Info) string {
	if p.Name == "vlc" {
		return playback.VLCSuffix(info)
	}
	return playback.BestSuffix(info)
}

// Run starts the player on the address. It returns when the player is closed, and kills it when
// ctx ends.
func (p Player) Run(ctx context.Context, url string) error {
	cmd := exec.CommandContext(ctx, p.args[0], append(slices.Clone(p.args[1:]), url)...)
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || errors.As(err, &exit) {
		return nil // people close players in many ways
	}
	return err
}

// Players returns the names of the players that Find knows, sorted.
func Players() []string { return slices.Sorted(maps.Keys(players)) }
