// ROM with a registered read: q is the word at the address of READ cycles before.  One word is a constant.
module bitsmith_rom #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,
    parameter int READ  = 1,   // 2: a register more behind the memory
    parameter int BLOCK = 0,   // 1: block RAM, 0: logic
    parameter     FILE  = ""   // one word per line, hex
) (
    input  logic                                           clk,
    input  logic [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1 : 0] address,
    output logic [WIDTH-1:0]                               q
);
  logic [WIDTH-1:0] fetched;

  if (DEPTH == 1) begin : g_constant
    logic [WIDTH-1:0] word[1];
    logic             unused;
    if (FILE != "") begin : g_contents
      initial $readmemh(FILE, word);
    end
    assign q = word[0];
    assign fetched = '0;
    assign unused = ^{clk, address, fetched};
  end else if (BLOCK == 1) begin : g_block
    (* rom_style = "block", syn_romstyle = "EBR" *) logic [WIDTH-1:0] words[DEPTH];
    if (FILE != "") begin : g_contents
      initial $readmemh(FILE, words);
    end
    always_ff @(posedge clk) fetched <= words[address];
  end else begin : g_logic
    (* rom_style = "logic", syn_romstyle = "logic" *) logic [WIDTH-1:0] words[DEPTH];
    if (FILE != "") begin : g_contents
      initial $readmemh(FILE, words);
    end
    always_ff @(posedge clk) fetched <= words[address];
  end

  if (DEPTH > 1 && READ == 2) begin : g_register
    always_ff @(posedge clk) q <= fetched;
  end else if (DEPTH > 1) begin : g_direct
    assign q = fetched;
  end
endmodule
