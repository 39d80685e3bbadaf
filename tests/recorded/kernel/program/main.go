// Makes a group run out of memory and prints what the kernel says of it: as the first process of a machine with cgroup
// v2, or beside others where cgroup v1 is mounted (with -v1). See scripts/record_kernel.py.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	limit  = 48 << 20
	v1Root = "/sys/fs/cgroup/memory"
	v2Root = "/sys/fs/cgroup"
	// A name that looks like the end of the kernel's line, with a line end in it.
	hostile = "a) b,pid=1=\n(c"
)

var kept [][]byte

func main() {
	v1 := flag.Bool("v1", false, "use cgroup v1, where it is mounted")
	grow := flag.Int("grow", 0, "be a member of the group: take so many MiB, then wait for a line and take all")
	name := flag.String("name", "", "the member's name")
	flag.Parse()
	if *grow > 0 {
		member(*grow, *name)
		return
	}
	out := os.Stdout
	if os.Getpid() == 1 {
		must(boot())
		port, err := os.OpenFile("/dev/ttyS1", os.O_WRONLY, 0)
		must(err)
		out = port
	}
	run(out, *v1)
	if os.Getpid() == 1 {
		out.Sync()
		time.Sleep(500 * time.Millisecond)
		syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	}
}

// member takes memory as it is told to, and never ends by itself.
func member(mebibytes int, name string) {
	if name != "" {
		bytes := append([]byte(name), 0)
		syscall.RawSyscall(syscall.SYS_PRCTL, 15, uintptr(unsafe.Pointer(&bytes[0])), 0) // PR_SET_NAME
	}
	take(mebibytes)
	fmt.Println("ready")
	var line string
	fmt.Scanln(&line)
	if line == "grow" {
		take(1 << 20)
	}
	time.Sleep(time.Minute)
}

func take(mebibytes int) {
	for range mebibytes {
		piece := make([]byte, 1<<20)
		for index := 0; index < len(piece); index += 4096 {
			piece[index] = 1
		}
		kept = append(kept, piece)
	}
}

func run(out *os.File, v1 bool) {
	root, maximum := v2Root, "memory.max"
	if v1 {
		root, maximum = v1Root, "memory.limit_in_bytes"
	}
	pod := filepath.Join(root, "whyheap-recording")
	shop := filepath.Join(pod, "shop one")
	must(os.MkdirAll(pod, 0o755))
	if !v1 {
		os.WriteFile(filepath.Join(pod, "cgroup.subtree_control"), []byte("+memory +pids"), 0)
	}
	must(os.MkdirAll(shop, 0o755))
	must(os.WriteFile(filepath.Join(pod, maximum), []byte(fmt.Sprint(limit)), 0))
	if !v1 {
		must(os.WriteFile(filepath.Join(shop, "memory.oom.group"), []byte("1"), 0))
	}
	log, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	must(err)
	log.Seek(0, 2)

	sidecar, _ := start(shop, 8, "sidecar")
	victim, tell := start(shop, 16, hostile)
	for _, file := range []string{"cgroup", "mountinfo", "smaps", "status", "limits"} {
		print(out, "before/"+file, fmt.Sprintf("/proc/%d/%s", victim.Process.Pid, file))
	}
	dump(out, "before/pod", pod)
	dump(out, "before/shop", shop)
	fmt.Fprintln(tell, "grow")
	state, err := victim.Process.Wait()
	must(err)
	time.Sleep(200 * time.Millisecond)
	dump(out, "after/pod", pod)
	dump(out, "after/shop", shop)
	section(out, "after/kmsg", records(log))
	section(out, "after/wait", fmt.Sprintf("pid %d: %v\n", victim.Process.Pid, state))
	sidecar.Process.Kill()
	sidecar.Wait()
	time.Sleep(200 * time.Millisecond)
	os.Remove(shop)
	os.Remove(pod)
}

// start runs a member and waits until it has its memory; it joins the group before it takes any.
func start(group string, mebibytes int, name string) (*exec.Cmd, *os.File) {
	command := exec.Command("/bin/sh", "-c", `echo $$ > "$0/cgroup.procs"; exec "$@"`, group, self(), "-grow", fmt.Sprint(mebibytes), "-name", name)
	if _, err := os.Stat("/bin/sh"); err != nil {
		command = exec.Command(self(), "-grow", fmt.Sprint(mebibytes), "-name", name)
	}
	input, tell, err := os.Pipe()
	must(err)
	command.Stdin = input
	said, err := command.StdoutPipe()
	must(err)
	must(command.Start())
	must(os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(fmt.Sprint(command.Process.Pid)), 0))
	said.Read(make([]byte, 6))
	return command, tell
}

func self() string {
	path, err := os.Executable()
	must(err)
	return path
}

func dump(out *os.File, place, folder string) {
	for _, pattern := range []string{"memory.*", "pids.*", "cgroup.procs"} {
		files, _ := filepath.Glob(filepath.Join(strings.ReplaceAll(folder, " ", "?"), pattern))
		for _, file := range files {
			print(out, place+"/"+filepath.Base(file), file)
		}
	}
}

func print(out *os.File, name, file string) {
	if text, err := os.ReadFile(file); err == nil {
		section(out, name, string(text))
	}
}

func section(out *os.File, name, text string) {
	fmt.Fprintf(out, "=== %s %d\n%s\n", name, len(text), text)
}

// records returns the log's records as they are read: one a line, each with its head, continuations indented.
func records(log *os.File) string {
	var text strings.Builder
	buffer := make([]byte, 8192)
	for {
		count, err := syscall.Read(int(log.Fd()), buffer)
		if err == syscall.EPIPE {
			continue
		}
		if err != nil || count <= 0 {
			return text.String()
		}
		text.Write(buffer[:count])
	}
}

// boot mounts what the kernel offers, in a machine that has nothing but this program.
func boot() error {
	for _, mount := range [][3]string{{"proc", "/proc", "proc"}, {"sys", "/sys", "sysfs"}, {"dev", "/dev", "devtmpfs"}, {"cgroup2", v2Root, "cgroup2"}} {
		os.MkdirAll(mount[1], 0o755)
		if err := syscall.Mount(mount[0], mount[1], mount[2], 0, ""); err != nil {
			return fmt.Errorf("%s: %w", mount[1], err)
		}
	}
	return os.WriteFile(v2Root+"/cgroup.subtree_control", []byte("+memory +pids"), 0)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}
