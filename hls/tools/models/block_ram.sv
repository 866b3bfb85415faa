// The block RAM that the cell models of ECP5, Gowin and AMD share: two ports onto one array of 9-bit bytes.
// A port may be 1, 2, 4, 9, 18, 36 or 72 bits wide; ports narrower than a byte use its lower eight bits.
//
// Stricter than the hardware where the data sheets leave a case open: the bits that the other port is writing in the
// same cycle are read wrong, so that a netlist that depends on them shows.
module bitsmith_cell_ram #(
    parameter int ABITS = 14,  // address bits, counted in bits of an eight-bit byte
    parameter int A_WIDTH = 18,
    parameter int B_WIDTH = 18,
    parameter int A_MODE = 0,  // what a port reads while it writes: 0 keeps, 1 the new word, 2 the old one
    parameter int B_MODE = 0,
    parameter bit OLD_FOR_OTHER = 0,  // a port of mode 2 leaves the old word to the other port too
    parameter bit RESET_STOPS_WRITE = 0,
    parameter bit RESET_NEEDS_ENABLE = 0,
    parameter bit [71:0] A_START = '0,  // what the output holds before the first read, and after a reset
    parameter bit [71:0] B_START = '0,
    parameter bit [71:0] A_RESET = '0,
    parameter bit [71:0] B_RESET = '0,
    parameter bit [9*2**(ABITS-3)-1:0] INIT = '0
) (
    input  logic             a_clk,
    input  logic             a_enable,
    input  logic             a_reset,
    input  logic [7:0]       a_write,  // per byte of the port, the lowest for narrow ports
    input  logic [ABITS-1:0] a_address,
    input  logic [71:0]      a_in,
    output logic [71:0]      a_out,
    input  logic             b_clk,
    input  logic             b_enable,
    input  logic             b_reset,
    input  logic [7:0]       b_write,
    input  logic [ABITS-1:0] b_address,
    input  logic [71:0]      b_in,
    output logic [71:0]      b_out
);
  localparam int BYTES = 2 ** (ABITS - 3);
  localparam int A_BYTES = A_WIDTH < 9 ? 1 : A_WIDTH / 9;
  localparam int B_BYTES = B_WIDTH < 9 ? 1 : B_WIDTH / 9;

  logic [8:0] bytes[BYTES];
  initial begin
    for (int i = 0; i < BYTES; i++) bytes[i] = INIT[9*i+:9];
    a_out = A_START;
    b_out = B_START;
  end

  logic [ABITS-4:0] a_first, b_first;  // the first byte of the word
  assign a_first = a_address[ABITS-1:3] & ~(ABITS - 3)'(A_BYTES - 1);
  assign b_first = b_address[ABITS-1:3] & ~(ABITS - 3)'(B_BYTES - 1);

  // The bits of a byte that a port writes: all of it, or a slice where the port is narrow.
  function automatic logic [8:0] bits(input int width, input logic [2:0] place);
    return width >= 9 ? '1 : (9'(1 << width) - 9'd1) << place;
  endfunction
  function automatic logic [8:0] written(input logic [8:0] old, input logic [8:0] data, input int width,
                                         input logic [2:0] place);
    return (old & ~bits(width, place)) | ((data << place) & bits(width, place));
  endfunction

  function automatic logic [2:0] place(input logic [2:0] low, input int width);
    return width >= 9 ? 3'd0 : low & ~3'(width - 1);
  endfunction

  logic a_writes, b_writes;
  assign a_writes = a_enable && !(RESET_STOPS_WRITE && a_reset);
  assign b_writes = b_enable && !(RESET_STOPS_WRITE && b_reset);

  // What each port reads: the array as it stands, its own write where the mode says so, wrong where the other writes.
  logic [71:0] a_read, b_read;
  always_comb begin
    a_read = '0;
    for (int i = 0; i < A_BYTES; i++) begin
      logic [8:0] value;
      value = bytes[a_first+(ABITS-3)'(i)];
      if (A_MODE == 1 && a_write[i]) value = written(value, a_in[9*i+:9], A_WIDTH, place(a_address[2:0], A_WIDTH));
      for (int j = 0; j < B_BYTES; j++)
        if (!(OLD_FOR_OTHER && B_MODE == 2) && b_writes && b_write[j] && b_first + (ABITS - 3)'(j) == a_first + (ABITS - 3)'(i))
          value ^= bits(B_WIDTH, place(b_address[2:0], B_WIDTH));
      a_read[9*i+:9] = A_WIDTH < 9 ? value >> place(a_address[2:0], A_WIDTH) : value;
    end
    b_read = '0;
    for (int i = 0; i < B_BYTES; i++) begin
      logic [8:0] value;
      value = bytes[b_first+(ABITS-3)'(i)];
      if (B_MODE == 1 && b_write[i]) value = written(value, b_in[9*i+:9], B_WIDTH, place(b_address[2:0], B_WIDTH));
      for (int j = 0; j < A_BYTES; j++)
        if (!(OLD_FOR_OTHER && A_MODE == 2) && a_writes && a_write[j] && a_first + (ABITS - 3)'(j) == b_first + (ABITS - 3)'(i))
          value ^= bits(A_WIDTH, place(a_address[2:0], A_WIDTH));
      b_read[9*i+:9] = B_WIDTH < 9 ? value >> place(b_address[2:0], B_WIDTH) : value;
    end
  end

  always @(posedge a_clk) begin
    if (a_writes)
      for (int i = 0; i < A_BYTES; i++)
        if (a_write[i])
          bytes[a_first+(ABITS-3)'(i)] <= written(
              bytes[a_first+(ABITS-3)'(i)], a_in[9*i+:9], A_WIDTH, place(a_address[2:0], A_WIDTH)
          );
    if (a_reset && (a_enable || !RESET_NEEDS_ENABLE)) a_out <= A_RESET;
    else if (a_enable && !(A_MODE == 0 && |a_write)) a_out <= a_read;
  end

  always @(posedge b_clk) begin
    if (b_writes)
      for (int i = 0; i < B_BYTES; i++)
        if (b_write[i])
          bytes[b_first+(ABITS-3)'(i)] <= written(
              bytes[b_first+(ABITS-3)'(i)], b_in[9*i+:9], B_WIDTH, place(b_address[2:0], B_WIDTH)
          );
    if (b_reset && (b_enable || !RESET_NEEDS_ENABLE)) b_out <= B_RESET;
    else if (b_enable && !(B_MODE == 0 && |b_write)) b_out <= b_read;
  end
endmodule
