# Sourced: $python is one that can run the core, with this checkout first on its path; the current folder stays.
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
python=""
for name in "$root/.venv/bin/python" python python3; do
  if "$name" -c 'import numpy, scipy, sklearn, pydantic' >/dev/null 2>&1; then
    python="$name"
    break
  fi
done
if [ -z "$python" ]; then
  (source "$root/scripts/setup.sh") || exit $?
  python="$root/.venv/bin/python"
fi
