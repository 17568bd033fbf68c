package treeview

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"relay/playback/api"
	"relay/relay"
	"relay/relay/wire"
	"relay/tree"
)

func TestViewBecomesATree(t *testing.T) {
	tag := func(n byte) wire.NodeTag { return wire.NodeTag{n} }
	got := Of(relay.Survey{
		Self: tree.ID{3}, By: tree.ID{1}, Err: fmt.Errorf("a\x1bb"),
		View: wire.View{
			Depth: 2,
			Nodes: []wire.Fact{
				{ID: tag(1), Slots: 3, Children: 2, DelayMs: 4, Lost: 5, Upload: 6, UptimeS: 7, Version: "v"},
				{ID: tag(2), Down: 1, Slots: 1, Children: 2, Flags: wire.Orphan},
				{ID: tag(3), Down: 2, Flags: wire.Unheard},
				{ID: tag(4), Down: 1},
			},
			Rest: wire.Rest{Nodes: 9, Down: 4, DelayMs: 8, Lost: 7, Free: 6},
		},
	})
	text := func(n byte) string { return tag(n).String() }
	want := api.ChannelTree{
		Self: text(3), SeenBy: text(1), Problem: "a�b",
		Nodes: []api.TreeNode{
			{ID: text(1), Parent: -1, Depth: 2, Slots: 3, SlotsFree: 1, Children: 2, DelayMs: 4, Lost: 5, UploadBPS: 6000, UptimeS: 7, Version: "v"},
			{ID: text(2), Parent: 0, Depth: 3, Slots: 1, Children: 2, Orphan: true},
			{ID: text(3), Parent: 1, Depth: 4, Unheard: true},
			{ID: text(4), Parent: 0, Depth: 3},
		},
		Cut: api.TreeCut{Nodes: 9, MaxDepth: 6, WorstDelayMs: 8, Lost: 7, SlotsFree: 6},
	}
	if a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); a != b {
		t.Errorf("%s\nwant %s", a, b)
	}
}

// The page and relay tree show why the source cannot be asked.
func TestWhyTheSourceCannotBeAskedIsInWords(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	if got := Of(relay.Survey{Err: fmt.Errorf("ask aebagaaa: %w", refused)}).Problem; got != "ask aebagaaa: nothing listens on that port" {
		t.Error(got)
	}
}
