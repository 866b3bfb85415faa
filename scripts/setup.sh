# Sourced by demo and test: makes .venv with everything, once; runs in no time when nothing has changed.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"

need() { # command, what installs it
  command -v "$1" >/dev/null 2>&1 || { echo "$1 is missing; install it with: $2" >&2; exit 4; }
}
need g++ "apt-get install g++"
need make "apt-get install make"
need perl "apt-get install perl"

python=""
for name in python3.11 python3.12 python3; do
  if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))'; then
    python="$name"
    break
  fi
done
[ -n "$python" ] || { echo "Python 3.11 or 3.12 is missing; install it with: apt-get install python3 python3-venv" >&2; exit 4; }

stamp=".venv/.installed-$(cat pyproject.toml scripts/constraints.txt | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
  echo "setting up .venv (a few minutes, once) ..." >&2
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  # torch alone and first: the CPU build where pip finds one; as somebody's dependency it may come with gigabytes of CUDA
  .venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c scripts/constraints.txt -e '.[keras,brevitas,qonnx,rtl,hls4ml,images,jets,sweep,postgres,ray,dev]'
  rm -f .venv/.installed-*
  touch "$stamp"
fi
export PATH="$root/.venv/bin:$PATH"
