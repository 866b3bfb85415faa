// ROM, as bitsmith_rom.  In logic the register stands at the address, so that each bit is a function of few registers;
// its initial value keeps tools from moving it to the far side.
module bitsmith_lookup #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,  // at least 2
    parameter int READ  = 1,   // cycles; 2: a register more behind the memory
    parameter int BLOCK = 0,   // 1: block RAM, 0: logic
    parameter     FILE  = ""   // one word per line, hex
) (
    input  logic                       clk,
    input  logic [$clog2(DEPTH)-1 : 0] address,
    output logic [WIDTH-1:0]           q
);
  if (BLOCK == 1) begin : g_block
    bitsmith_rom #(.WIDTH(WIDTH), .DEPTH(DEPTH), .READ(READ), .BLOCK(1), .FILE(FILE)) rom (.clk, .address, .q);
  end else begin : g_logic
    (* rom_style = "logic", syn_romstyle = "logic" *) logic [WIDTH-1:0] words[DEPTH];
    logic [$clog2(DEPTH)-1:0] held;
    if (FILE != "") begin : g_contents
      initial $readmemh(FILE, words);
    end
    initial held = '0;
    always_ff @(posedge clk) held <= address;
    if (READ == 2) begin : g_late
      always_ff @(posedge clk) q <= words[held];
    end else begin : g_now
      assign q = words[held];
    end
  end
endmodule
